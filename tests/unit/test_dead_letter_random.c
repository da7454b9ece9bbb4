/* Random conversations with queues that dead-letter into each other:
 *
 *   a (max-length 600) ─rejected, maxlen─▶ b (time to live 50 ms) ─expired─▶ c ─rejected, at least
 *   once─▶ d (max-length 300, reject-publish)
 *
 * No message can be dropped on this way, so each is in exactly one place: in one of the queues, or
 * acknowledged. The queues' counts must agree with that after each step, their messages at the end,
 * and after each crash all messages that were on disk must be there. The seed is printed;
 * LEVERET_SEED and LEVERET_STEPS set it and the number of steps. */
#include <stdio.h>
#include <stdlib.h>

#include "core_harness.h"
#include "leveret/base/mem.h"
#include "leveret/base/random.h"
#include "leveret/wire/table.h"

#define STEPS  8000
#define QUEUES 4u

static const char *const names[QUEUES] = {"a", "b", "c", "d"};

enum fate { UNUSED, THERE, ACKED, MAYBE /* acked or published since the last sync */ };

static struct harness h;
static struct random_stream stream;
static uint8_t *fates; /* by the message's number */
static unsigned published, acked;
/* What the disk knows for sure: what was published and not acknowledged, by the last sync. */
static unsigned synced_published, synced_acked;
static uint64_t tags[100000]; /* unsettled deliveries: tag, message */
static unsigned messages[100000], unsettled_count;
static uint8_t queues[100000]; /* the queues that these deliveries came from */

static unsigned below(unsigned bound)
{
    return (unsigned)(random_next(&stream) % bound);
}

static void watch(void *context, char peer, const struct event *event)
{
    (void)context;
    (void)peer;
    const struct message *message = NULL;
    uint64_t tag = 0;
    if (event->type == EVENT_DELIVER) {
        message = event->u.deliver.message;
        tag = event->u.deliver.tag;
    } else if (event->type == EVENT_REPLY && event->u.reply.command == COMMAND_GET) {
        message = event->got.message;
        tag = event->got.tag;
    }
    if (!message)
        return;
    struct bytes body = message_body_piece(message, 0);
    unsigned number;
    memcpy(&number, body.at, sizeof number);
    ck_assert_uint_lt(number, published);
    ck_assert_uint_ne(fates[number], ACKED);
    ck_assert_uint_lt(unsettled_count, 100000);
    tags[unsettled_count] = tag;
    queues[unsettled_count] = (uint8_t)(message_routing_key(message).at[0] - 'a');
    messages[unsettled_count++] = number;
}

static void put_string(struct text *out, const char *key, const char *value)
{
    table_put_string(out, key, bytes_of_text(value));
}

static void declare(const char *queue, const char *next, int64_t ttl_ms, int64_t limit, bool keeps)
{
    struct text arguments = {0};
    if (next) {
        put_string(&arguments, "x-dead-letter-exchange", "");
        put_string(&arguments, "x-dead-letter-routing-key", next);
    }
    if (ttl_ms)
        table_put_i64(&arguments, "x-message-ttl", ttl_ms);
    if (limit)
        table_put_i64(&arguments, "x-max-length", limit);
    if (keeps)
        put_string(&arguments, "x-overflow", "reject-publish");
    if (keeps && next)
        put_string(&arguments, "x-dead-letter-strategy", "at-least-once");
    do_declare_args(&h, "A1", queue, "d", &arguments);
    text_free(&arguments);
}

static void begin(void)
{
    unsettled_count = 0;
    do_open(&h, "A1");
    declare("a", "b", 0, 600, false);
    declare("b", "c", 50, 0, false);
    declare("c", "d", 0, 0, true);
    declare("d", NULL, 0, 300, true);
    harness_sync(&h);
}

static uint64_t total(void)
{
    struct queue_info info;
    uint64_t sum = 0;
    for (unsigned i = 0; i < QUEUES; i++) {
        ck_assert(vhost_find_queue(h.vhost, bytes_of_text(names[i]), &info));
        sum += info.messages_ready + info.messages_unacknowledged;
        ck_assert_uint_le(info.messages_dlx, info.messages_unacknowledged);
    }
    return sum;
}

static void publish(unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        unsigned number = published++;
        struct command command = {.type = COMMAND_PUBLISH, .channel = 1};
        command.u.publish.message = harness_message("", "a", &number, sizeof number, true);
        fates[number] = THERE;
        harness_do(&h, 'A', &command);
    }
}

static void settle(bool ack, bool requeue)
{
    unsigned at = below(unsettled_count);
    bool requeued = !ack && requeue;
    ack |= !requeued && queues[at] == QUEUES - 1; /* the last queue drops what is rejected */
    struct command command = {.type = ack ? COMMAND_ACK : COMMAND_NACK, .channel = 1};
    command.u.ack.tag = tags[at];
    command.u.ack.requeue = requeued;
    if (ack) {
        acked++;
        fates[messages[at]] = ACKED;
    }
    tags[at] = tags[--unsettled_count];
    messages[at] = messages[unsettled_count];
    queues[at] = queues[unsettled_count];
    harness_do(&h, 'A', &command);
}

static void sync(void)
{
    harness_sync(&h);
    synced_published = published;
    synced_acked = acked;
}

/* After a crash: a message that was not synced may be there or not, and one whose ack was not
 * synced may come back. */
static void crash(void)
{
    harness_crash(&h);
    begin();
    uint64_t there = total();
    ck_assert_uint_ge(there + acked, synced_published);
    ck_assert_uint_le(there, published - synced_acked);
    /* From here on it is this that must be there; which ones they are is seen at the end. */
    for (unsigned i = 0; i < published; i++)
        if (i >= synced_published || fates[i] == ACKED)
            fates[i] = MAYBE;
    acked = published - (unsigned)there;
    sync();
}

static void step(void)
{
    switch (below(20)) {
    case 0:
        publish(below(700));
        break;
    case 1:
    case 2:
        publish(below(20));
        break;
    case 3:
    case 4:
    case 5:
    case 6:
    case 7:
        for (unsigned i = below(100); i; i--)
            do_get(&h, "A1", names[below(QUEUES)], "a");
        break;
    case 8:
    case 9:
    case 10:
    case 11:
    case 12:
        for (unsigned i = below(100); i && unsettled_count; i--)
            settle(below(3) == 0, below(3) == 0);
        break;
    case 13:
    case 14:
        harness_pass(&h, below(100));
        break;
    case 15:
        harness_pass(&h, 1000);
        break;
    case 16:
        harness_turn(&h);
        break;
    case 17:
        harness_disk(&h);
        break;
    case 18:
        sync();
        break;
    default:
        if (below(50) == 0)
            crash();
    }
    ck_assert_uint_eq(total(), published - acked);
}

static void check_what_is_there(void)
{
    uint8_t *seen = mem_need(published + 1);
    unsettled_count = 0; /* before the recover: a message that it gives back may answer a get */
    do_plain(&h, "A1", COMMAND_RECOVER);
    for (int round = 0; round < 2000 && unsettled_count < published - acked; round++) {
        do_get(&h, "A1", names[round % 4], "a");
        for (int i = 0; i < 1000; i++)
            do_get(&h, "A1", names[round % 4], "a");
        harness_sync(&h);
        harness_pass(&h, 200);
    }
    ck_assert_uint_eq(unsettled_count, published - acked);
    for (unsigned i = 0; i < unsettled_count; i++) {
        ck_assert_uint_eq(seen[messages[i]], 0);
        seen[messages[i]] = 1;
    }
    for (unsigned i = 0; i < published; i++)
        ck_assert_msg(fates[i] != THERE || seen[i], "message %u is lost", i);
    free(seen);
}

START_TEST(nothing_is_lost)
{
    const char *seed = getenv("LEVERET_SEED"), *steps = getenv("LEVERET_STEPS");
    unsigned count = steps ? (unsigned)strtoul(steps, NULL, 10) : STEPS;
    stream.state = seed ? strtoull(seed, NULL, 10) : 1;
    printf("seed %llu\n", (unsigned long long)stream.state);
    fates = mem_need((size_t)count * 700);
    h = (struct harness){.quiet = true, .watch = watch, .resident_bytes_max = 1 << 18};
    harness_open(&h);
    begin();
    for (unsigned i = 0; i < count; i++) {
        step();
        if (total() > 30000) /* most are on disk by then; more would only take time */
            for (int drain = 0; drain < 20000 && unsettled_count < 90000; drain++) {
                do_get(&h, "A1", names[below(QUEUES)], "a");
                if (unsettled_count)
                    settle(true, false);
            }
    }
    check_what_is_there();
    harness_close(&h);
    free(fates);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("dead_letter_random");
    TCase *tcase = tcase_create("random");
    tcase_set_timeout(tcase, 1200);
    tcase_add_test(tcase, nothing_is_lost);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
