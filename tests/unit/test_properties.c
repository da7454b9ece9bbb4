/* wire/properties: content headers, every property alone and all mixtures, hostile lists. */
#include <check.h>
#include <stdlib.h>

#include "leveret/wire/properties.h"
#include "wire_random.h"

static struct wire_random wire_random;

static enum status decode_exactly(struct bytes encoded, struct properties *out)
{
    uint8_t *copy = malloc(encoded.len ? encoded.len : 1);

    ck_assert_ptr_nonnull(copy);
    if (encoded.len)
        memcpy(copy, encoded.at, encoded.len);
    enum status status = properties_decode(bytes_of(copy, encoded.len), out);
    free(copy);
    return status;
}

START_TEST(content_headers)
{
    static const uint8_t payload[] = {0, 60, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2, 0x10, 0, 2};
    uint8_t heavy[sizeof payload];
    struct content_header header;

    ck_assert_int_eq(properties_header_decode(bytes_of(payload, sizeof payload), &header),
                     STATUS_OK);
    ck_assert_uint_eq(header.class_id, 60);
    ck_assert_uint_eq(header.body_bytes, (1ull << 32) + 2);
    ck_assert_uint_eq(header.properties.len, 3);
    ck_assert_ptr_eq(header.properties.at, payload + 12);
    for (size_t cut = 0; cut < 12; cut++)
        ck_assert_int_eq(properties_header_decode(bytes_of(payload, cut), &header),
                         STATUS_MALFORMED);
    memcpy(heavy, payload, sizeof heavy);
    heavy[3] = 1; /* weight: always zero */
    ck_assert_int_eq(properties_header_decode(bytes_of(heavy, sizeof heavy), &header),
                     STATUS_MALFORMED);
}
END_TEST

START_TEST(none_and_delivery_mode_only)
{
    static const uint8_t none[] = {0, 0}, mode[] = {0x10, 0, 2};
    struct properties properties;

    memset(&properties, 0xee, sizeof properties);
    ck_assert_int_eq(properties_decode(bytes_of(none, 2), &properties), STATUS_OK);
    ck_assert_uint_eq(properties.present, 0);
    ck_assert_uint_eq(properties.delivery_mode, 0);
    ck_assert_uint_eq(properties.headers.len, 0);
    ck_assert_int_eq(properties_decode(bytes_of(mode, 3), &properties), STATUS_OK);
    ck_assert_uint_eq(properties.present, PROPERTY_DELIVERY_MODE);
    ck_assert_uint_eq(properties.delivery_mode, 2);
}
END_TEST

START_TEST(each_flag_alone)
{
    for (int bit = 15; bit >= 2; bit--) {
        uint8_t encoded[2 + 8] = {(uint8_t)(1u << bit >> 8), (uint8_t)(1u << bit)};
        size_t len = bit == 13 ? 4 : bit == 6 ? 8 : 1; /* table, timestamp, the others */
        struct properties properties;
        ck_assert_int_eq(properties_decode(bytes_of(encoded, 2 + len), &properties), STATUS_OK);
        ck_assert_uint_eq(properties.present, 1u << bit);
        ck_assert_int_eq(properties_decode(bytes_of(encoded, 2 + len - 1), &properties),
                         STATUS_MALFORMED);
    }
}
END_TEST

START_TEST(there_and_back)
{
    for (int round = 0; round < 5000; round++) {
        struct properties properties, back;
        struct text encoded = {0};
        wire_random.used = 0;
        random_properties(&wire_random, &properties);
        text_add(&encoded, "before", 6);
        properties_encode(&properties, &encoded);
        memset(&back, 0xee, sizeof back);
        struct bytes list = bytes_of(encoded.at + 6, encoded.len - 6);
        ck_assert_int_eq(properties_decode(list, &back), STATUS_OK);
        ck_assert(properties_same(&properties, &back));
        text_free(&encoded);
    }
}
END_TEST

START_TEST(cut_short_and_left_over)
{
    for (int round = 0; round < 100; round++) {
        struct properties properties;
        struct text encoded = {0};
        wire_random.used = 0;
        random_properties(&wire_random, &properties);
        properties_encode(&properties, &encoded);
        for (size_t cut = 0; cut < encoded.len; cut++)
            ck_assert_int_eq(decode_exactly(bytes_of(encoded.at, cut), &properties),
                             STATUS_MALFORMED);
        text_add(&encoded, "", 1);
        ck_assert_int_eq(decode_exactly(text_bytes(&encoded), &properties), STATUS_MALFORMED);
        text_free(&encoded);
    }
}
END_TEST

START_TEST(flags_without_a_property)
{
    static const uint8_t more[] = {0, 1, 0, 0}, unused[] = {0, 2};
    struct properties properties;

    ck_assert_int_eq(properties_decode(bytes_of(more, 4), &properties), STATUS_MALFORMED);
    ck_assert_int_eq(properties_decode(bytes_of(unused, 2), &properties), STATUS_MALFORMED);
}
END_TEST

START_TEST(bad_headers)
{
    static const uint8_t bad_type[] = {0x20, 0, 0, 0, 0, 2, 0, '?'};
    static const uint8_t too_long[] = {0x20, 0, 0xff, 0xff, 0xff, 0xff, 0, 'V'};
    struct properties properties;

    ck_assert_int_eq(decode_exactly(bytes_of(bad_type, 8), &properties), STATUS_MALFORMED);
    ck_assert_int_eq(decode_exactly(bytes_of(too_long, 8), &properties), STATUS_MALFORMED);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("properties");
    TCase *codec = tcase_create("decode and encode");
    TCase *refuse = tcase_create("decode refuses");

    wire_random.stream.state = wire_random_seed("test_properties");
    tcase_add_test(codec, content_headers);
    tcase_add_test(codec, none_and_delivery_mode_only);
    tcase_add_test(codec, each_flag_alone);
    tcase_add_test(codec, there_and_back);
    tcase_add_test(refuse, cut_short_and_left_over);
    tcase_add_test(refuse, flags_without_a_property);
    tcase_add_test(refuse, bad_headers);
    suite_add_tcase(suite, codec);
    suite_add_tcase(suite, refuse);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
