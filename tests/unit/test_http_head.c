/* Heads of requests and bodies in chunks: what is read, and what is refused. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "admin/http/chunks.h"
#include "admin/http/head.h"
#include "leveret/base/text.h"

static struct head head;

static int read_head(const char *text)
{
    size_t scanned = 0;
    struct bytes bytes = bytes_of_text(text);
    ck_assert_uint_eq(head_length(bytes, &scanned), bytes.len);
    return head_read(bytes, &head);
}

START_TEST(a_plain_head)
{
    ck_assert_int_eq(read_head("GET /api/queues?page=1 HTTP/1.1\r\nHost: x\r\n"
                               "authorization:  Basic abc \r\nX-Reason: tests\r\n\r\n"),
                     0);
    ck_assert_int_eq(head.method, METHOD_GET);
    ck_assert(bytes_equal_text(head.target, "/api/queues?page=1"));
    ck_assert(bytes_equal_text(head.authorization, "Basic abc"));
    ck_assert(bytes_equal_text(head.reason, "tests"));
    ck_assert(head.keep_alive && !head.minor_0 && !head.chunked && !head.expects);
    ck_assert_uint_eq(head.body_bytes, 0);
}
END_TEST

START_TEST(bodies_are_announced)
{
    ck_assert_int_eq(read_head("PUT / HTTP/1.1\r\nContent-Length: 1234\r\n"
                               "Expect: 100-Continue\r\n\r\n"),
                     0);
    ck_assert_uint_eq(head.body_bytes, 1234);
    ck_assert(head.expects && !head.chunked);
    ck_assert_int_eq(read_head("POST / HTTP/1.1\nTransfer-Encoding: Chunked\n\n"), 0);
    ck_assert(head.chunked);
}
END_TEST

START_TEST(connections_are_kept_or_not)
{
    static const struct {
        const char *text;
        bool kept;
    } heads[] = {
        {"GET / HTTP/1.1\r\n\r\n", true},
        {"GET / HTTP/1.0\r\n\r\n", false},
        {"GET / HTTP/1.1\r\nConnection: foo, Close\r\n\r\n", false},
        {"GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", true},
        {"GET / HTTP/1.1\r\nConnection: keep-alive, close\r\n\r\n", false},
        {"GET / HTTP/1.1\r\nConnection: ,,\r\n\r\n", true},
    };
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
        ck_assert_int_eq(read_head(heads[i].text), 0);
        ck_assert_msg(head.keep_alive == heads[i].kept, "%s", heads[i].text);
    }
}
END_TEST

START_TEST(what_browsers_say)
{
    static const struct {
        const char *text;
        bool takes;
    } encodings[] = {
        {"gzip", true},         {"br, GZIP;q=0.1, x", true},
        {"gzip;q=0", false},    {"gzip; q=0.000", false},
        {"deflate, br", false}, {"gzipped", false},
        {"gzip;q=0.05", true},  {"", false},
        {",;,", false},
    };
    char text[256];
    for (size_t i = 0; i < sizeof encodings / sizeof *encodings; i++) {
        snprintf(text, sizeof text, "GET / HTTP/1.1\r\nAccept-Encoding: %s\r\n\r\n",
                 encodings[i].text);
        ck_assert_int_eq(read_head(text), 0);
        ck_assert_msg(head.takes_gzip == encodings[i].takes, "%s", encodings[i].text);
    }
    ck_assert_int_eq(read_head("GET / HTTP/1.1\r\nCookie: a=b; c=d\r\nIf-None-Match: \"e\"\r\n"
                               "X-Leveret: 1\r\n\r\n"),
                     0);
    ck_assert(bytes_equal_text(head.cookie, "a=b; c=d") && head.by_page);
    ck_assert(bytes_equal_text(head.if_none_match, "\"e\""));
    ck_assert_int_eq(read_head("GET / HTTP/1.1\r\nX-Leveret: 11\r\n\r\n"), 0);
    ck_assert(!head.by_page && !head.cookie.at && !head.if_none_match.at && !head.takes_gzip);
}
END_TEST

START_TEST(what_is_refused)
{
    static const struct {
        const char *text;
        int code;
    } heads[] = {
        {"GET /\r\n\r\n", 400},
        {"GET  HTTP/1.1\r\n\r\n", 400},
        {" / HTTP/1.1\r\n\r\n", 400},
        {"G(T / HTTP/1.1\r\n\r\n", 400},
        {"GET / / HTTP/1.1\r\n\r\n", 400},
        {"GET / HTTX/1.1\r\n\r\n", 400},
        {"GET / HTTP/1.11\r\n\r\n", 400},
        {"GET / HTTP/2.0\r\n\r\n", 505},
        {"GET / HTTP/1.1\r\n: x\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nnothing\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost : x\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: x\r\n folded\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nX-Reason: a\x01z\r\n\r\n", 400},
        {"GET /\x7f HTTP/1.1\r\n\r\n", 400},
        {"PUT / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400},
        {"PUT / HTTP/1.1\r\nContent-Length: 1, 1\r\n\r\n", 400},
        {"PUT / HTTP/1.1\r\nContent-Length:\r\n\r\n", 400},
        {"PUT / HTTP/1.1\r\nContent-Length: 9999999999999999999\r\n\r\n", 400},
        {"PUT / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400},
        {"PUT / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
        {"PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
        {"PUT / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
        {"PUT / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 501},
        {"PUT / HTTP/1.1\r\nExpect: wonders\r\n\r\n", 417},
        {"GET / HTTP/1.1\r\nAuthorization: a\r\nAuthorization: b\r\n\r\n", 400},
    };
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
        int code = read_head(heads[i].text);
        ck_assert_msg(code == heads[i].code, "%d for %s", code, heads[i].text);
        ck_assert(!head.keep_alive);
    }
    ck_assert_int_eq(read_head("PUT / HTTP/1.1\r\nContent-Length: 7\r\nContent-Length: 7\r\n\r\n"),
                     0);
}
END_TEST

START_TEST(a_zero_byte_is_refused)
{
    static const char text[] = "GET /\0 HTTP/1.1\r\n\r\n";
    ck_assert_int_eq(head_read(bytes_of(text, sizeof text - 1), &head), 400);
}
END_TEST

START_TEST(too_many_fields)
{
    struct text text = {0};
    text_printf(&text, "GET / HTTP/1.1\r\n");
    for (unsigned i = 0; i < HEAD_FIELDS_MAX; i++)
        text_printf(&text, "X-%u: y\r\n", i);
    size_t full = text.len;
    text_printf(&text, "\r\n");
    ck_assert_int_eq(head_read(text_bytes(&text), &head), 0);
    text.len = full;
    text_printf(&text, "X: one more\r\n\r\n");
    ck_assert_int_eq(head_read(text_bytes(&text), &head), 431);
    text_free(&text);
}
END_TEST

/* Byte by byte the end is found where it is found at once. */
START_TEST(a_head_in_drips)
{
    static const char *const texts[] = {"GET / HTTP/1.1\r\nA: b\r\n\r\nbody", "GET / HTTP/1.1\n\nx",
                                        "GET / HTTP/1.1\nA: b\r\n\nx"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct bytes all = bytes_of_text(texts[i]);
        size_t scanned = 0, fresh = 0, found = 0;
        for (size_t len = 0; len <= all.len && !found; len++)
            found = head_length(bytes_of(all.at, len), &scanned);
        ck_assert_uint_gt(found, 0);
        ck_assert_uint_eq(found, head_length(all, &fresh));
    }
}
END_TEST

/* ---- Chunks. */

static char body[4096];

/* Feeds the text in parts of the given size; what is left over goes to *rest. */
static enum chunks_result feed(struct bytes text, size_t step, size_t *rest)
{
    struct chunks chunks = {.state = CHUNK_SIZE};
    size_t len = 0;
    enum chunks_result result = CHUNKS_MORE;
    body[0] = '\0';
    while (text.len && result == CHUNKS_MORE) {
        struct bytes in = bytes_of(text.at, text.len < step ? text.len : step), piece;
        size_t offered = in.len;
        while ((result = chunks_next(&chunks, &in, &piece)) == CHUNKS_PIECE) {
            ck_assert_uint_lt(len + piece.len, sizeof body);
            memcpy(body + len, piece.at, piece.len);
            len += piece.len;
            body[len] = '\0';
        }
        text.at += offered - in.len;
        text.len -= offered - in.len;
    }
    *rest = text.len;
    return result;
}

START_TEST(chunks_in_steps_of_any_size)
{
    static const char text[] = "5\r\nhello\r\n1;ext=\"a\"\r\n \r\n00A\r\n0123456789\r\n0\r\n"
                               "Trailer: x\r\n\r\nGET /";
    for (size_t step = 1; step < sizeof text; step++) {
        size_t rest;
        ck_assert_int_eq(feed(bytes_of_text(text), step, &rest), CHUNKS_DONE);
        ck_assert_str_eq(body, "hello 0123456789");
        ck_assert_uint_eq(rest, 5);
    }
}
END_TEST

START_TEST(malformed_chunks)
{
    static const char *const texts[] = {"\r\n",
                                        "x\r\n",
                                        "-1\r\n",
                                        ";\r\n",
                                        "5 hello",
                                        "3\r\nabcd\r\n",
                                        "3\r\nabc\r\r\n",
                                        "FFFFFFFFFFFFFFFFF\r\n",
                                        "2000000000000\r\n"};
    size_t rest;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        bool endless = i == 4; /* an extension that has not ended */
        ck_assert_msg(feed(bytes_of_text(texts[i]), 3, &rest) ==
                          (endless ? CHUNKS_MORE : CHUNKS_BAD),
                      "%s", texts[i]);
    }
}
END_TEST

START_TEST(what_surrounds_chunks_is_bounded)
{
    struct text text = {0};
    size_t rest;
    text_printf(&text, "1;");
    for (unsigned i = 0; i < CHUNK_LINE_BYTES_MAX; i++)
        text_add(&text, "x", 1);
    ck_assert_int_eq(feed(text_bytes(&text), 100, &rest), CHUNKS_BAD);
    text.len = 0;
    text_printf(&text, "0\r\n");
    for (unsigned i = 0; i < CHUNK_TRAILER_BYTES_MAX / 4; i++)
        text_printf(&text, "A:b\r\n");
    ck_assert_int_eq(feed(text_bytes(&text), 100, &rest), CHUNKS_BAD);
    text_free(&text);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("http_head");
    TCase *tc = tcase_create("all");
    tcase_add_test(tc, a_plain_head);
    tcase_add_test(tc, bodies_are_announced);
    tcase_add_test(tc, connections_are_kept_or_not);
    tcase_add_test(tc, what_browsers_say);
    tcase_add_test(tc, what_is_refused);
    tcase_add_test(tc, a_zero_byte_is_refused);
    tcase_add_test(tc, too_many_fields);
    tcase_add_test(tc, a_head_in_drips);
    tcase_add_test(tc, chunks_in_steps_of_any_size);
    tcase_add_test(tc, malformed_chunks);
    tcase_add_test(tc, what_surrounds_chunks_is_bounded);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
