/* wire/method, made from spec/: every method there and back, cut short at every length, with bytes
 * left over, with too little room; and wire/reply. */
#include <check.h>
#include <stdlib.h>

#include "leveret/wire/method.h"
#include "leveret/wire/reply.h"
#include "wire_random.h"

#define ROUNDS 50

static struct wire_random wire_random;
static uint8_t encoded[1 << 16];

/* A decoder that reads beyond its input is caught by the sanitizer: the copy has no slack. */
static enum status decode_exactly(const uint8_t *at, size_t len, struct method *out)
{
    uint8_t *copy = malloc(len ? len : 1);

    ck_assert_ptr_nonnull(copy);
    memcpy(copy, at, len);
    enum status status = method_decode(bytes_of(copy, len), out);
    free(copy);
    return status;
}

START_TEST(there_and_back)
{
    for (int round = 0; round < ROUNDS; round++) {
        for (size_t i = 0; i < METHOD_COUNT; i++) {
            struct method method, back;
            wire_random.used = 0;
            random_method(&wire_random, method_ids[i], &method);
            size_t len = method_encode(&method, encoded, sizeof encoded);
            ck_assert_msg(len >= 4, "%s", method_name(method.id));
            memset(&back, 0xee, sizeof back);
            ck_assert_int_eq(method_decode(bytes_of(encoded, len), &back), STATUS_OK);
            ck_assert_msg(methods_same(&method, &back), "%s", method_name(method.id));
        }
    }
}
END_TEST

START_TEST(cut_short_and_left_over)
{
    for (size_t i = 0; i < METHOD_COUNT; i++) {
        struct method method, back;
        wire_random.used = 0;
        random_method(&wire_random, method_ids[i], &method);
        size_t len = method_encode(&method, encoded, sizeof encoded - 1);
        for (size_t cut = 0; cut < len; cut++)
            ck_assert_int_eq(decode_exactly(encoded, cut, &back), STATUS_MALFORMED);
        encoded[len] = 0;
        ck_assert_int_eq(decode_exactly(encoded, len + 1, &back), STATUS_MALFORMED);
        ck_assert_int_eq(back.id, method.id);
    }
}
END_TEST

START_TEST(too_little_room)
{
    for (size_t i = 0; i < METHOD_COUNT; i++) {
        struct method method;
        wire_random.used = 0;
        random_method(&wire_random, method_ids[i], &method);
        size_t len = method_encode(&method, encoded, sizeof encoded);
        for (size_t room = 0; room < len; room++)
            ck_assert_uint_eq(method_encode(&method, encoded, room), 0);
        ck_assert_uint_eq(method_encode(&method, encoded, len), len);
    }
}
END_TEST

START_TEST(short_string_too_long)
{
    static const uint8_t long_name[256];
    struct method method = {.id = METHOD_BASIC_CANCEL_OK,
                            .u.basic_cancel_ok.consumer_tag = {long_name, 256}};

    ck_assert_uint_eq(method_encode(&method, encoded, sizeof encoded), 0);
    method.u.basic_cancel_ok.consumer_tag.len = 255;
    ck_assert_uint_eq(method_encode(&method, encoded, sizeof encoded), 4 + 1 + 255);
}
END_TEST

START_TEST(known_bytes_of_publish)
{
    /* As clients send it: class 60, method 40, a ticket that is skipped, "e", "key", mandatory. */
    static const uint8_t payload[] = {0, 60, 0, 40, 0x12, 0x34, 1, 'e', 3, 'k', 'e', 'y', 1};
    struct method method;

    ck_assert_int_eq(method_decode(bytes_of(payload, sizeof payload), &method), STATUS_OK);
    ck_assert_int_eq(method.id, METHOD_BASIC_PUBLISH);
    ck_assert(bytes_equal_text(method.u.basic_publish.exchange, "e"));
    ck_assert(bytes_equal_text(method.u.basic_publish.routing_key, "key"));
    ck_assert(method.u.basic_publish.mandatory);
    ck_assert(!method.u.basic_publish.immediate);
    ck_assert_uint_eq(method_encode(&method, encoded, sizeof encoded), sizeof payload);
    ck_assert_uint_eq(encoded[4] | encoded[5], 0);
    ck_assert_int_eq(memcmp(encoded + 6, payload + 6, sizeof payload - 6), 0);
}
END_TEST

START_TEST(known_bytes_of_queue_declare)
{
    /* Bits from the lowest: passive durable exclusive auto-delete no-wait. */
    static const uint8_t payload[] = {0, 50, 0, 10, 0,   0,   1, 'q', 0x12, 0,
                                      0, 0,  7, 1,  'a', 'I', 0, 0,   0,    5};
    struct method method;

    ck_assert_int_eq(method_decode(bytes_of(payload, sizeof payload), &method), STATUS_OK);
    const struct queue_declare *declare = &method.u.queue_declare;
    ck_assert(!declare->passive && declare->durable && !declare->exclusive);
    ck_assert(!declare->auto_delete && declare->no_wait);
    struct field value;
    ck_assert(table_find(declare->arguments, "a", &value));
    ck_assert_int_eq(value.value.integer, 5);
    ck_assert_uint_eq(method_encode(&method, encoded, sizeof encoded), sizeof payload);
    ck_assert_int_eq(memcmp(encoded, payload, sizeof payload), 0);
}
END_TEST

START_TEST(unknown_methods)
{
    static const uint8_t unknown[][4] = {
        {0, 0, 0, 0}, {0, 60, 0, 41}, {0, 61, 0, 40}, {0xff, 0xff, 0xff, 0xff}, {0, 30, 0, 12}};
    struct method method;

    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++) {
        ck_assert_int_eq(method_decode(bytes_of(unknown[i], 4), &method), STATUS_NOT_FOUND);
        ck_assert_uint_eq((METHOD_CLASS(method.id)), unknown[i][0] << 8 | unknown[i][1]);
        ck_assert_uint_eq((METHOD_NUMBER(method.id)), unknown[i][2] << 8 | unknown[i][3]);
        ck_assert_str_eq(method_name(method.id), "unknown");
        ck_assert_uint_eq(method_encode(&method, encoded, sizeof encoded), 0);
        ck_assert(!method_has_content(method.id) && !method_expects_reply(method.id));
        ck_assert(!method_from_client(method.id) && !method_from_server(method.id));
    }
}
END_TEST

START_TEST(a_bad_table)
{
    static const uint8_t bad_type[] = {0, 60, 0, 20, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, '?'};
    struct text deep = {0};
    struct method method = {.id = METHOD_BASIC_CONSUME}, back;

    ck_assert_int_eq(decode_exactly(bad_type, sizeof bad_type, &back), STATUS_MALFORMED);
    size_t begin[TABLE_DEPTH_MAX];
    for (size_t i = 0; i < TABLE_DEPTH_MAX; i++)
        begin[i] = table_begin(&deep, "a");
    for (size_t i = TABLE_DEPTH_MAX; i-- > 0;)
        table_end(&deep, begin[i]);
    method.u.basic_consume.arguments = text_bytes(&deep);
    size_t len = method_encode(&method, encoded, sizeof encoded);
    ck_assert_int_eq(decode_exactly(encoded, len, &back), STATUS_LIMIT);
    text_free(&deep);
}
END_TEST

START_TEST(names_and_kinds)
{
    ck_assert_str_eq(method_name(METHOD_BASIC_PUBLISH), "basic.publish");
    ck_assert_str_eq(method_name(METHOD_CONNECTION_UPDATE_SECRET_OK),
                     "connection.update-secret-ok");
    ck_assert(method_has_content(METHOD_BASIC_PUBLISH));
    ck_assert(method_has_content(METHOD_BASIC_GET_OK));
    ck_assert(!method_has_content(METHOD_BASIC_GET));
    ck_assert(method_expects_reply(METHOD_BASIC_GET));
    ck_assert(method_expects_reply(METHOD_BASIC_RECOVER));
    ck_assert(!method_expects_reply(METHOD_BASIC_PUBLISH));
    ck_assert(!method_expects_reply(METHOD_BASIC_GET_OK));
    ck_assert(method_from_client(METHOD_BASIC_ACK) && method_from_server(METHOD_BASIC_ACK));
    ck_assert(!method_from_client(METHOD_BASIC_DELIVER));
    ck_assert(!method_from_server(METHOD_BASIC_PUBLISH));
}
END_TEST

START_TEST(reply_codes)
{
    ck_assert_int_eq(REPLY_NOT_FOUND, 404);
    ck_assert_str_eq(reply_name(REPLY_NOT_FOUND), "NOT_FOUND");
    ck_assert_str_eq(reply_name(1), "UNKNOWN");
    ck_assert(reply_closes_channel(404) && !reply_closes_connection(404));
    ck_assert(!reply_closes_channel(503) && reply_closes_connection(503));
    ck_assert(!reply_closes_channel(200) && !reply_closes_connection(200));
    ck_assert(!reply_closes_channel(1) && reply_closes_connection(1));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("method");
    TCase *codec = tcase_create("decode and encode");
    TCase *facts = tcase_create("names and kinds");

    wire_random.stream.state = wire_random_seed("test_method");
    tcase_add_test(codec, there_and_back);
    tcase_add_test(codec, cut_short_and_left_over);
    tcase_add_test(codec, too_little_room);
    tcase_add_test(codec, short_string_too_long);
    tcase_add_test(codec, known_bytes_of_publish);
    tcase_add_test(codec, known_bytes_of_queue_declare);
    tcase_add_test(codec, unknown_methods);
    tcase_add_test(codec, a_bad_table);
    tcase_add_test(facts, names_and_kinds);
    tcase_add_test(facts, reply_codes);
    suite_add_tcase(suite, codec);
    suite_add_tcase(suite, facts);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
