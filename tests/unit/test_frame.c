/* wire/frame: protocol headers, whole frames, pieces of bodies, every way of arriving in parts. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "leveret/base/text.h"
#include "leveret/wire/frame.h"

#define FRAME_MAX 4096u

static void add_frame(struct text *out, uint8_t type, uint16_t channel, size_t len, uint8_t fill)
{
    uint8_t header[FRAME_HEADER_BYTES], end = FRAME_END;

    frame_put_header(header, (enum frame_type)type, channel, (uint32_t)len);
    text_add(out, header, sizeof header);
    memset(text_reserve(out, len), fill, len);
    out->len += len;
    text_add(out, &end, 1);
}

static void expect(struct frame_parser *parser, struct bytes *input, enum frame_type type,
                   uint16_t channel, size_t len, bool last)
{
    struct frame frame;

    ck_assert_int_eq(frame_next(parser, input, &frame), STATUS_OK);
    ck_assert_int_eq(frame.type, type);
    ck_assert_uint_eq(frame.channel, channel);
    ck_assert_uint_eq(frame.payload.len, len);
    ck_assert_int_eq(frame.last_piece, last);
}

static enum status next_status(const void *at, size_t len, uint32_t frame_max)
{
    struct frame_parser parser = {.frame_max = frame_max};
    struct bytes input = bytes_of(at, len);
    struct frame frame;

    return frame_next(&parser, &input, &frame);
}

START_TEST(protocol_headers)
{
    static const uint8_t old[] = {'A', 'M', 'Q', 'P', 1, 1, 0, 9};
    static const uint8_t wrong[][8] = {{'A', 'M', 'Q', 'P', 0, 1, 0, 0},
                                       {'A', 'M', 'Q', 'P', 3, 1, 0, 0},
                                       {'A', 'M', 'Q', 'P', 0, 0, 9, 0},
                                       {'a', 'm', 'q', 'p', 0, 0, 9, 1},
                                       {'G', 'E', 'T', ' ', '/', ' ', 'H', 'T'}};

    ck_assert(protocol_header_accepted(protocol_header));
    ck_assert(protocol_header_accepted(old));
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        ck_assert(!protocol_header_accepted(wrong[i]));
}
END_TEST

START_TEST(whole_frames_in_one_input)
{
    struct frame_parser parser = {.frame_max = FRAME_MAX};
    struct text wire = {0};
    struct frame frame;

    add_frame(&wire, FRAME_METHOD, 1, 20, 'm');
    add_frame(&wire, FRAME_HEADER, 1, 14, 'h');
    add_frame(&wire, FRAME_BODY, 1, 100, 'b');
    add_frame(&wire, FRAME_BODY, 2, 0, 'b');
    add_frame(&wire, FRAME_HEARTBEAT, 0, 0, 0);
    add_frame(&wire, FRAME_METHOD, UINT16_MAX, 0, 0);
    struct bytes input = text_bytes(&wire);
    expect(&parser, &input, FRAME_METHOD, 1, 20, true);
    expect(&parser, &input, FRAME_HEADER, 1, 14, true);
    expect(&parser, &input, FRAME_BODY, 1, 100, true);
    expect(&parser, &input, FRAME_BODY, 2, 0, true);
    expect(&parser, &input, FRAME_HEARTBEAT, 0, 0, true);
    expect(&parser, &input, FRAME_METHOD, UINT16_MAX, 0, true);
    ck_assert_int_eq(frame_next(&parser, &input, &frame), STATUS_AGAIN);
    ck_assert_uint_eq(input.len, 0);
    text_free(&wire);
}
END_TEST

/* All splits of a few frames into two inputs: the same frames come out, and bodies' pieces
 * add up. */
START_TEST(every_split_in_two)
{
    struct text wire = {0};

    add_frame(&wire, FRAME_METHOD, 3, 5, 'm');
    add_frame(&wire, FRAME_BODY, 3, 9, 'b');
    add_frame(&wire, FRAME_BODY, 4, 0, 'b');
    add_frame(&wire, FRAME_HEADER, 5, 2, 'h');
    for (size_t split = 0; split <= wire.len; split++) {
        struct frame_parser parser = {.frame_max = FRAME_MAX};
        struct bytes input = bytes_of(wire.at, split);
        struct frame frame;
        size_t ends = 0, body = 0;
        for (int part = 0; part < 2; part++) {
            enum status status;
            while ((status = frame_next(&parser, &input, &frame)) == STATUS_OK) {
                ends += frame.last_piece;
                ck_assert(frame.last_piece || frame.payload.len > 0);
                if (frame.type == FRAME_BODY)
                    body += frame.payload.len;
            }
            ck_assert_int_eq(status, STATUS_AGAIN);
            input.len = (size_t)(wire.at + wire.len - input.at); /* what is left, and the rest */
        }
        ck_assert_uint_eq(ends, 4);
        ck_assert_uint_eq(body, 9);
    }
    text_free(&wire);
}
END_TEST

START_TEST(one_byte_at_a_time)
{
    struct frame_parser parser = {.frame_max = FRAME_MAX};
    struct text wire = {0};
    size_t body = 0, ends = 0, taken = 0;

    add_frame(&wire, FRAME_METHOD, 3, 5, 'm');
    add_frame(&wire, FRAME_BODY, 7, 9, 'b');
    for (size_t have = 1; have <= wire.len; have++) {
        struct bytes input = bytes_of(wire.at + taken, have - taken);
        struct frame frame;
        while (frame_next(&parser, &input, &frame) == STATUS_OK) {
            ends += frame.last_piece;
            if (frame.type == FRAME_BODY) {
                ck_assert_uint_eq(frame.channel, 7);
                body += frame.payload.len;
            }
        }
        taken = have - input.len;
    }
    ck_assert_uint_eq(taken, wire.len);
    ck_assert_uint_eq(ends, 2);
    ck_assert_uint_eq(body, 9);
    text_free(&wire);
}
END_TEST

START_TEST(body_without_its_end_octet_yet)
{
    struct frame_parser parser = {.frame_max = FRAME_MAX};
    struct text wire = {0};
    struct frame frame;

    add_frame(&wire, FRAME_BODY, 1, 10, 'b');
    struct bytes input = bytes_of(wire.at, wire.len - 1);
    expect(&parser, &input, FRAME_BODY, 1, 10, false);
    ck_assert_int_eq(frame_next(&parser, &input, &frame), STATUS_AGAIN);
    input = bytes_of(wire.at + wire.len - 1, 1);
    expect(&parser, &input, FRAME_BODY, 1, 0, true);
    ck_assert(!parser.in_body);
    text_free(&wire);
}
END_TEST

/* Payloads of frame_max bytes pass: the frame is longer by its overhead then. */
START_TEST(frame_max_and_a_little_more)
{
    static const uint8_t types[] = {FRAME_METHOD, FRAME_HEADER, FRAME_BODY};

    for (size_t i = 0; i < sizeof types; i++) {
        struct text wire = {0};
        add_frame(&wire, types[i], 1, FRAME_MAX, 'x');
        ck_assert_int_eq(next_status(wire.at, wire.len, FRAME_MAX), STATUS_OK);
        ck_assert_int_eq(next_status(wire.at, wire.len, FRAME_MAX - 1), STATUS_FRAME_ERROR);
        ck_assert_int_eq(next_status(wire.at, wire.len, 0), STATUS_OK);
        /* Judged by the header alone, before the payload is there. */
        ck_assert_int_eq(next_status(wire.at, FRAME_HEADER_BYTES, FRAME_MAX - 1),
                         STATUS_FRAME_ERROR);
        text_free(&wire);
    }
}
END_TEST

START_TEST(hostile_lengths)
{
    static const uint8_t method[] = {1, 0, 0, 0xff, 0xff, 0xff, 0xff, 1, 2, 3};
    static const uint8_t body[] = {3, 0, 1, 0xff, 0xff, 0xff, 0xff, 1, 2, 3};

    ck_assert_int_eq(next_status(method, sizeof method, FRAME_MAX), STATUS_FRAME_ERROR);
    ck_assert_int_eq(next_status(method, sizeof method, 0), STATUS_AGAIN);
    ck_assert_int_eq(next_status(body, sizeof body, UINT32_MAX - 1), STATUS_FRAME_ERROR);
    ck_assert_int_eq(next_status(body, sizeof body, 0), STATUS_OK);
}
END_TEST

START_TEST(wrong_end_octet)
{
    static const uint8_t types[] = {FRAME_METHOD, FRAME_HEADER, FRAME_BODY, FRAME_HEARTBEAT};

    for (size_t i = 0; i < sizeof types; i++) {
        struct text wire = {0};
        add_frame(&wire, types[i], 0, types[i] == FRAME_HEARTBEAT ? 0 : 6, 'x');
        wire.at[wire.len - 1] = 0xCD;
        ck_assert_int_eq(next_status(wire.at, wire.len, FRAME_MAX), STATUS_FRAME_ERROR);
        text_free(&wire);
    }
}
END_TEST

START_TEST(unknown_types)
{
    for (unsigned type = 0; type <= UINT8_MAX; type++) {
        struct text wire = {0};
        bool known = type == 1 || type == 2 || type == 3 || type == 8;
        add_frame(&wire, (uint8_t)type, 0, 0, 0);
        ck_assert_int_eq(next_status(wire.at, wire.len, FRAME_MAX),
                         known ? STATUS_OK : STATUS_FRAME_ERROR);
        ck_assert_int_eq(next_status(wire.at, wire.len - 1, FRAME_MAX), STATUS_AGAIN);
        text_free(&wire);
    }
}
END_TEST

START_TEST(heartbeat_with_a_payload)
{
    struct text wire = {0};

    add_frame(&wire, FRAME_HEARTBEAT, 0, 1, 0);
    ck_assert_int_eq(next_status(wire.at, wire.len, FRAME_MAX), STATUS_FRAME_ERROR);
    text_free(&wire);
}
END_TEST

/* ---- The reason, in RabbitMQ's words. */

static void expect_fault(const char *octets, size_t len, const char *text)
{
    struct frame_parser parser = {.frame_max = FRAME_MAX};
    struct bytes input = bytes_of(octets, len);
    struct frame frame;
    char out[FRAME_TEXT_ROOM];

    ck_assert_int_eq(frame_next(&parser, &input, &frame), STATUS_FRAME_ERROR);
    frame_fault_print(&parser, &frame, out);
    ck_assert_str_eq(out, text);
}

#define FAULT(octets, text) expect_fault(octets, sizeof octets - 1, text)

START_TEST(reasons)
{
    FAULT("\2\0\1\0\0\x10\1", "type 2, all octets = <<>>: {frame_too_large,4097,4088}");
    FAULT("\5\0\1\xff\xff\xff\xff", "type 5, all octets = <<>>: {frame_too_large,4294967295,4088}");
    FAULT("\1\0\1\0\0\0\4\0\x14\0\x0aX",
          "type 1, all octets = <<0,20,0,10>>: {invalid_frame_end_marker,88}");
    FAULT("\3\0\1\0\0\0\x11"
          "0123456789abcdefg\0",
          "type 3, first 16 octets = <<\"0123456789abcdef\">>: {invalid_frame_end_marker,0}");
    FAULT("\3\0\1\0\0\0\0\1", "type 3, all octets = <<>>: {invalid_frame_end_marker,1}");
    FAULT("\5\0\1\0\0\0\0\xce", "type 5, all octets = <<>>: unknown_frame");
    FAULT("\10\0\0\0\0\0\3a\"\n\xce", "type 8, all octets = <<\"a\\\"\\n\">>: unknown_frame");
    FAULT("\10\0\0\0\0\0\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"
          "\xff\xce",
          "type 8, first 16 octets = "
          "<<255,255,255,255,255,255,255,255,255,255,255,255,255,255,255,255>>: unknown_frame");
}
END_TEST

/* Its beginning has been handed out, and is no longer there to be shown. */
START_TEST(reason_of_a_body_in_pieces)
{
    struct frame_parser parser = {.frame_max = FRAME_MAX};
    struct frame frame;
    char out[FRAME_TEXT_ROOM];
    struct bytes input = bytes_of("\3\0\1\0\0\0\3ab", 9);

    expect(&parser, &input, FRAME_BODY, 1, 2, false);
    input = bytes_of("cX", 2);
    ck_assert_int_eq(frame_next(&parser, &input, &frame), STATUS_FRAME_ERROR);
    frame_fault_print(&parser, &frame, out);
    ck_assert_str_eq(out, "type 3: {invalid_frame_end_marker,88}");
}
END_TEST

START_TEST(octets)
{
    static const struct {
        const char *octets, *text;
    } rows[] = {
        {"", "<<>>"},
        {"\b\t\n\v\f\r\x1b", "<<\"\\b\\t\\n\\v\\f\\r\\e\">>"},
        {"a\x01", "<<97,1>>"},
        {"a\x07", "<<97,7>>"},
        {"a\x0e", "<<97,14>>"},
        {"\x7f", "<<127>>"},
        {"\\", "<<\"\\\\\">>"},
        {" ~", "<<\" ~\">>"},
        {"\xc3\xa9", "<<195,169>>"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct frame frame = {.type = FRAME_HEADER, .payload = bytes_of_text(rows[i].octets)};
        char out[FRAME_TEXT_ROOM], expected[FRAME_TEXT_ROOM];
        frame_octets_print(&frame, out);
        snprintf(expected, sizeof expected, "type 2, all octets = %s", rows[i].text);
        ck_assert_str_eq(out, expected);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("frame");
    TCase *parse = tcase_create("frame_next");
    TCase *refuse = tcase_create("frame_next refuses");

    tcase_add_test(parse, protocol_headers);
    tcase_add_test(parse, whole_frames_in_one_input);
    tcase_add_test(parse, every_split_in_two);
    tcase_add_test(parse, one_byte_at_a_time);
    tcase_add_test(parse, body_without_its_end_octet_yet);
    tcase_add_test(refuse, frame_max_and_a_little_more);
    tcase_add_test(refuse, hostile_lengths);
    tcase_add_test(refuse, wrong_end_octet);
    tcase_add_test(refuse, unknown_types);
    tcase_add_test(refuse, heartbeat_with_a_payload);
    tcase_add_test(refuse, reasons);
    tcase_add_test(refuse, reason_of_a_body_in_pieces);
    tcase_add_test(refuse, octets);
    suite_add_tcase(suite, parse);
    suite_add_tcase(suite, refuse);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
