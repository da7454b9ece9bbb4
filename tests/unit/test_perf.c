/* leveret-perf's parts: histogram, URI, a publisher's window, and a connection's frames however the
 * bytes are cut. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "leveret/base/mem.h"
#include "leveret/base/random.h"
#include "leveret/wire/frame.h"
#include "peer.h"
#include "topology.h"

static struct options options;
static struct run run;
static struct figures *figures;

static uint64_t count(enum figure figure)
{
    return figures->counts[figure];
}

static void set_up(void)
{
    options = (struct options){.producers = 1,
                               .consumers = 1,
                               .producer_channels = 1,
                               .consumer_channels = 1,
                               .size_bytes = 16,
                               .stamped = true,
                               .ack_every = 1,
                               .queues = 1,
                               .keys = 1,
                               .queue = "q"};
    run = (struct run){.options = &options, .publishers = 1, .consumers = 1};
    atomic_store(&run.go, true);
    figures = mem_need(sizeof *figures);
}

static void tear_down(void)
{
    free(figures);
}

START_TEST(histogram_keeps_two_digits)
{
    struct histogram *h = mem_need(sizeof *h);
    struct histogram_sum *sum = mem_need(sizeof *sum);
    for (uint64_t ns = 1; ns <= 1000000; ns++)
        histogram_record(h, ns, 1);
    histogram_add(sum, h);
    ck_assert_uint_eq(sum->total, 1000000);
    static const double parts[] = {0.01, 0.5, 0.99, 0.999, 1.0};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        double got = (double)histogram_quantile(sum, parts[i]), want = parts[i] * 1e6;
        ck_assert_double_le(got, want * 1.01);
        ck_assert_double_ge(got, want * 0.99);
    }
    free(h);
    free(sum);
}
END_TEST

START_TEST(histogram_takes_any_time)
{
    ck_assert_uint_eq(histogram_bucket(0), 0);
    ck_assert_uint_eq(histogram_bucket(UINT64_MAX), HISTOGRAM_BUCKETS - 1);
    for (unsigned bit = 0; bit < 64; bit++)
        ck_assert_uint_lt(histogram_bucket((uint64_t)1 << bit), HISTOGRAM_BUCKETS);
    for (uint64_t ns = 1; ns < 100000; ns++)
        ck_assert_uint_ge(histogram_bucket(ns), histogram_bucket(ns - 1));
}
END_TEST

START_TEST(histogram_difference)
{
    struct histogram *h = mem_need(sizeof *h);
    struct histogram_sum *before = mem_need(sizeof *before), *after = mem_need(sizeof *after);
    histogram_record(h, 10, 5);
    histogram_add(before, h);
    histogram_record(h, 100, 3);
    histogram_add(after, h);
    histogram_subtract(after, before);
    ck_assert_uint_eq(after->total, 3);
    ck_assert_uint_eq(histogram_quantile(after, 0), 100);
    free(h);
    free(before);
    free(after);
}
END_TEST

START_TEST(target_parts)
{
    struct target t;
    ck_assert_int_eq(target_parse("amqp://", &t), STATUS_OK);
    ck_assert_str_eq(t.host, "localhost");
    ck_assert_str_eq(t.port, "5672");
    ck_assert_str_eq(t.vhost, "/");
    ck_assert_int_eq(target_parse("amqp://u%40x:p%3a@h:1/%2Fv", &t), STATUS_OK);
    ck_assert_str_eq(t.user, "u@x");
    ck_assert_str_eq(t.password, "p:");
    ck_assert_str_eq(t.host, "h");
    ck_assert_str_eq(t.port, "1");
    ck_assert_str_eq(t.vhost, "/v");
    ck_assert_int_eq(target_parse("amqp://[::1]:5673", &t), STATUS_OK);
    ck_assert_str_eq(t.host, "::1");
    ck_assert_str_eq(t.port, "5673");
    ck_assert_int_eq(target_parse("amqp://%2Frun%2Fs.sock", &t), STATUS_OK);
    ck_assert_str_eq(t.host, "/run/s.sock");
}
END_TEST

START_TEST(target_refused)
{
    static const char *const bad[] = {"",           "localhost",   "http://h", "amqp://[::1",
                                      "amqp://h:x", "amqp://h:",   "amqp://%", "amqp://h:123456789",
                                      "amqp://%00", "amqp://h/%zz"};
    struct target t;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        ck_assert_msg(target_parse(bad[i], &t) == STATUS_MALFORMED, "%s", bad[i]);
}
END_TEST

static struct lane publisher(void)
{
    struct lane lane = {.kind = LANE_PUBLISHER, .channel = 1, .run = &run, .figures = figures};
    publisher_init(&lane, CLIENT_FRAME_MAX);
    return lane;
}

START_TEST(publisher_block_is_whole_frames)
{
    options.size_bytes = 300000; /* three body frames */
    struct lane lane = publisher();
    uint64_t wake_ns = UINT64_MAX;
    ck_assert_uint_eq(publisher_allowance(&lane, 1, &wake_ns), UINT64_MAX);
    struct bytes bytes = publisher_take(&lane, 5, 77);
    ck_assert_uint_eq(bytes.len, lane.stride); /* one, as it is larger than a chunk */
    struct frame_parser parser = {.frame_max = CLIENT_FRAME_MAX};
    struct frame frame;
    size_t body = 0, frames = 0;
    while (frame_next(&parser, &bytes, &frame) == STATUS_OK) {
        if (frame.type == FRAME_BODY && body == 0) {
            uint64_t stamp;
            memcpy(&stamp, frame.payload.at, sizeof stamp);
            ck_assert_uint_eq(stamp, 77);
        }
        body += frame.type == FRAME_BODY ? frame.payload.len : 0;
        frames++;
    }
    ck_assert_uint_eq(bytes.len, 0);
    ck_assert_uint_eq(body, 300000);
    ck_assert_uint_eq(frames, 5);
    lane_clear(&lane);
}
END_TEST

START_TEST(publisher_counts_what_is_sent_whole)
{
    struct lane lane = publisher();
    struct bytes bytes = publisher_take(&lane, 10, 1);
    ck_assert_uint_eq(bytes.len, 10 * lane.stride);
    publisher_sent(&lane, bytes.len - 1);
    ck_assert_uint_eq(count(FIGURE_SENT), 0);
    publisher_sent(&lane, bytes.len - lane.stride);
    ck_assert_uint_eq(count(FIGURE_SENT), 1);
    publisher_sent(&lane, 1);
    ck_assert_uint_eq(count(FIGURE_SENT), 9);
    publisher_sent(&lane, 0);
    ck_assert_uint_eq(count(FIGURE_SENT), 10);
    lane_clear(&lane);
}
END_TEST

START_TEST(publisher_window)
{
    options.confirm = 10;
    struct lane lane = publisher();
    uint64_t wake_ns = UINT64_MAX;
    ck_assert_uint_eq(publisher_allowance(&lane, 1, &wake_ns), 10);
    publisher_take(&lane, 10, 1);
    ck_assert_uint_eq(publisher_allowance(&lane, 1, &wake_ns), 0);
    publisher_confirmed(&lane, 3, false, false, 2); /* out of order */
    publisher_confirmed(&lane, 3, false, false, 2); /* twice: does not count */
    ck_assert_uint_eq(publisher_allowance(&lane, 1, &wake_ns), 1);
    publisher_confirmed(&lane, 5, true, false, 2); /* 1, 2, 4, 5 */
    ck_assert_uint_eq(publisher_allowance(&lane, 1, &wake_ns), 5);
    publisher_confirmed(&lane, 6, false, true, 2);
    publisher_confirmed(&lane, 99, true, false, 2); /* never published */
    ck_assert_uint_eq(lane.unconfirmed, 4);
    ck_assert_uint_eq(lane.low, 7);
    ck_assert_uint_eq(count(FIGURE_CONFIRMED), 5);
    ck_assert_uint_eq(count(FIGURE_NACKED), 1);
    lane_clear(&lane);
}
END_TEST

/* The frames of a method without arguments. */
#define BARE_METHOD_BYTES (FRAME_OVERHEAD_BYTES + 4)

START_TEST(publisher_transactions)
{
    options.tx = 3;
    options.pmessages = 5;
    struct lane lane = publisher();
    struct client client = {.fd = -1};
    uint64_t wake_ns = UINT64_MAX;
    ck_assert_uint_eq(publisher_allowance(&lane, 1, &wake_ns), 3);
    publisher_idle(&lane, &client, 1); /* nothing to commit */
    publisher_take(&lane, 2, 1);
    publisher_sent(&lane, 0);
    publisher_idle(&lane, &client, 1); /* not full */
    publisher_take(&lane, 1, 1);
    publisher_idle(&lane, &client, 1); /* not sent */
    ck_assert_uint_eq(client.out.len, 0);
    publisher_sent(&lane, 0);
    for (int i = 0; i < 3; i++) /* commits once */
        publisher_idle(&lane, &client, 1);
    ck_assert_uint_eq(client.out.len, BARE_METHOD_BYTES);
    ck_assert_uint_eq(publisher_allowance(&lane, 1, &wake_ns), 0);
    publisher_committed(&lane, 2);
    ck_assert_uint_eq(count(FIGURE_CONFIRMED), 3);
    ck_assert_uint_eq(publisher_allowance(&lane, 1, &wake_ns), 2);
    publisher_take(&lane, 2, 1);
    publisher_sent(&lane, 0);
    publisher_idle(&lane, &client, 1); /* the end: committed though not full */
    ck_assert_uint_eq(client.out.len, 2 * BARE_METHOD_BYTES);
    ck_assert_int_eq(lane.state, LANE_SYNCING);
    publisher_committed(&lane, 2);
    ck_assert_int_eq(lane.state, LANE_DONE);
    ck_assert_uint_eq(count(FIGURE_CONFIRMED), 5);
    text_free(&client.out);
    lane_clear(&lane);
}
END_TEST

START_TEST(publisher_rate)
{
    options.rate = 1000;
    struct lane lane = publisher();
    uint64_t wake_ns = UINT64_MAX, start_ns = 5000000;
    ck_assert_uint_eq(publisher_allowance(&lane, start_ns, &wake_ns), 1);
    publisher_take(&lane, 1, start_ns);
    ck_assert_uint_eq(publisher_allowance(&lane, start_ns + 1, &wake_ns), 0);
    ck_assert_uint_eq(wake_ns, start_ns + 1000000);
    ck_assert_uint_eq(publisher_allowance(&lane, wake_ns, &wake_ns), 1);
    /* A pause is made up for. */
    ck_assert_uint_eq(publisher_allowance(&lane, start_ns + 10000000, &wake_ns), 10);
    lane_clear(&lane);
}
END_TEST

START_TEST(publisher_keys)
{
    options.keys = 12;
    options.key = "k.";
    struct lane lane = publisher();
    for (unsigned i = 0; i < 30; i++) {
        struct bytes bytes = publisher_take(&lane, 1, 1);
        char want[8];
        snprintf(want, sizeof want, "k.%02u", i % 12);
        struct method m;
        struct frame_parser parser = {.frame_max = CLIENT_FRAME_MAX};
        struct frame frame;
        ck_assert_int_eq(frame_next(&parser, &bytes, &frame), STATUS_OK);
        ck_assert_int_eq(method_decode(frame.payload, &m), STATUS_OK);
        ck_assert_msg(bytes_equal_text(m.u.basic_publish.routing_key, want), "message %u", i);
    }
    lane_clear(&lane);
}
END_TEST

/* A connection under load whose other end is the test's. */
struct pair {
    struct peer peer;
    struct client *client;
    struct lane lane;
    int broker;
};

static struct pair *consumer_pair(void)
{
    struct pair *pair = mem_need(sizeof *pair);
    int fds[2];
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    pair->client = mem_need(sizeof *pair->client);
    pair->client->fd = fds[0];
    client_grow(pair->client, CLIENT_ROOM_SMALL);
    pair->broker = fds[1];
    pair->lane =
        (struct lane){.kind = LANE_CONSUMER, .channel = 1, .run = &run, .figures = figures};
    consumer_init(&pair->lane);
    pair->peer = (struct peer){.client = pair->client,
                               .run = &run,
                               .figures = figures,
                               .lanes = &pair->lane,
                               .lane_count = 1};
    return pair;
}

static void pair_free(struct pair *pair)
{
    close(pair->broker);
    client_close(&pair->client, false);
    free(pair);
}

static void add_frame(struct text *out, enum frame_type type, const void *payload, size_t len)
{
    uint8_t header[FRAME_HEADER_BYTES];
    frame_put_header(header, type, 1, (uint32_t)len);
    text_add(out, header, sizeof header);
    text_add(out, payload, len);
    text_add(out, "\xce", 1);
}

/* A delivery with a body of len bytes in frames of at most piece bytes. */
static void add_delivery(struct text *out, uint64_t tag, size_t len, size_t piece)
{
    uint8_t buffer[256];
    struct method m = {.id = METHOD_BASIC_DELIVER};
    m.u.basic_deliver = (struct basic_deliver){.consumer_tag = BYTES_LITERAL("tag"),
                                               .delivery_tag = tag,
                                               .routing_key = BYTES_LITERAL("q")};
    add_frame(out, FRAME_METHOD, buffer, method_encode(&m, buffer, sizeof buffer));
    struct writer w = writer_of(buffer, sizeof buffer);
    write_u16(&w, CLASS_BASIC);
    write_u16(&w, 0);
    write_u64(&w, len);
    write_u16(&w, 0);
    add_frame(out, FRAME_HEADER, buffer, 14);
    uint8_t *body = calloc(1, len + 1);
    for (size_t at = 0; at < len; at += piece)
        add_frame(out, FRAME_BODY, body, len - at < piece ? len - at : piece);
    free(body);
}

START_TEST(peer_takes_bytes_however_cut)
{
    struct random_stream random = {.state = (uint64_t)_i + 1};
    static const size_t sizes[] = {0, 1, 7, 8, 100, 5000, 40000};
    struct pair *pair = consumer_pair();
    options.ack_every = 3;
    struct text out = {0};
    uint64_t messages = 0;
    for (; messages < 50; messages++)
        add_delivery(&out, messages + 1, sizes[random_next(&random) % 7],
                     1 + random_next(&random) % 9000);
    for (size_t at = 0; at < out.len;) {
        size_t n = 1 + random_next(&random) % (_i % 2 ? 30 : 9000);
        n = n < out.len - at ? n : out.len - at;
        ck_assert_int_eq(write(pair->broker, out.at + at, n), (ssize_t)n);
        at += n;
        pair->peer.readable = true;
        while (pair->peer.readable)
            ck_assert_int_eq(peer_read(&pair->peer), STATUS_OK);
    }
    ck_assert_uint_eq(count(FIGURE_RECEIVED), messages);
    ck_assert_uint_eq(pair->lane.received, messages);
    ck_assert_uint_eq(pair->peer.skip, 0);
    /* An ack for every third: 16 of 21 bytes each. */
    ck_assert_uint_eq(pair->client->out.len, 16 * 21);
    ck_assert_uint_eq(pair->lane.unacked, 2);
    text_free(&out);
    pair_free(pair);
}
END_TEST

START_TEST(consumer_transactions)
{
    struct pair *pair = consumer_pair();
    options.ack_every = 3;
    options.tx = 2;
    options.cmessages = 20;
    consumer_init(&pair->lane);
    struct text out = {0};
    for (unsigned i = 1; i <= 20; i++)
        add_delivery(&out, i, 16, 16);
    ck_assert_int_eq(write(pair->broker, out.at, out.len), (ssize_t)out.len);
    pair->peer.readable = true;
    while (pair->peer.readable)
        ck_assert_int_eq(peer_read(&pair->peer), STATUS_OK);
    /* Six acks of three and one of two; a commit after every second and after the last. */
    ck_assert_uint_eq(pair->client->out.len, 7 * 21 + 4 * BARE_METHOD_BYTES);
    text_free(&out);
    pair_free(pair);
}
END_TEST

START_TEST(peer_says_why)
{
    struct pair *pair = consumer_pair();
    struct method m = {.id = METHOD_CHANNEL_CLOSE};
    m.u.channel_close =
        (struct channel_close){.reply_code = 404, .reply_text = BYTES_LITERAL("NOT_FOUND - no q")};
    uint8_t buffer[256];
    struct text out = {0};
    add_frame(&out, FRAME_METHOD, buffer, method_encode(&m, buffer, sizeof buffer));
    ck_assert_int_eq(write(pair->broker, out.at, out.len), (ssize_t)out.len);
    ck_assert_int_eq(peer_read(&pair->peer), STATUS_CLOSED);
    ck_assert_str_eq(pair->client->why, "channel closed: 404 NOT_FOUND - no q");
    text_free(&out);
    pair_free(pair);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("perf");
    TCase *parts = tcase_create("parts");
    tcase_add_test(parts, histogram_keeps_two_digits);
    tcase_add_test(parts, histogram_takes_any_time);
    tcase_add_test(parts, histogram_difference);
    tcase_add_test(parts, target_parts);
    tcase_add_test(parts, target_refused);
    TCase *load = tcase_create("load");
    tcase_add_checked_fixture(load, set_up, tear_down);
    tcase_add_test(load, publisher_block_is_whole_frames);
    tcase_add_test(load, publisher_counts_what_is_sent_whole);
    tcase_add_test(load, publisher_window);
    tcase_add_test(load, publisher_transactions);
    tcase_add_test(load, publisher_rate);
    tcase_add_test(load, publisher_keys);
    tcase_add_loop_test(load, peer_takes_bytes_however_cut, 0, 20);
    tcase_add_test(load, consumer_transactions);
    tcase_add_test(load, peer_says_why);
    suite_add_tcase(suite, parts);
    suite_add_tcase(suite, load);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
