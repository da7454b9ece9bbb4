/* What a message costs in the core, in nanoseconds: command → route → delivery, with the memory
 * journal and an event callback that only counts. core_bench [messages] */
#include <stdio.h>
#include <stdlib.h>

#include "leveret/base/check.h"
#include "leveret/base/clock.h"
#include "leveret/base/number.h"
#include "leveret/broker/vhost.h"
#include "leveret/journal/journal.h"
#include "leveret/wire/properties.h"

/* ---- A journal that keeps nothing, so that the core alone is measured. */

struct null_journal {
    struct journal head;
    uint64_t filling, committed;
    bool dirty;
    struct vhost *vhost;
};

static struct null_journal *self(struct journal *journal)
{
    return (struct null_journal *)journal;
}

static void null_put(struct journal *j, struct bytes key, struct bytes value)
{
    (void)key;
    (void)value;
    self(j)->dirty = true;
}

static void null_erase(struct journal *j, struct bytes key)
{
    (void)key;
    self(j)->dirty = true;
}

static struct journal_lane *null_lane_new(struct journal *j, uint64_t id)
{
    (void)j;
    (void)id;
    return malloc(1);
}

static void null_lane_drop(struct journal *j, struct journal_lane **lane)
{
    (void)j;
    free(*lane);
    *lane = NULL;
}

static void null_append(struct journal *j, struct journal_lane *lane, uint64_t seq,
                        uint64_t expires_ms, struct message *message)
{
    (void)lane;
    (void)seq;
    (void)expires_ms;
    (void)message;
    self(j)->dirty = true;
}

static uint64_t null_body_bytes(struct journal *j, struct journal_lane *lane, uint64_t seq)
{
    (void)j;
    (void)lane;
    (void)seq;
    return 0;
}

static void null_settle(struct journal *j, struct journal_lane *lane, uint64_t seq)
{
    (void)lane;
    (void)seq;
    self(j)->dirty = true;
}

static uint64_t null_filling(const struct journal *j)
{
    return ((const struct null_journal *)j)->filling;
}

static uint64_t null_await(struct journal *j)
{
    self(j)->dirty = true;
    return self(j)->filling;
}

static uint64_t null_committed(const struct journal *j)
{
    return ((const struct null_journal *)j)->committed;
}

static void null_flush(struct journal *j)
{
    if (!self(j)->dirty)
        return;
    self(j)->dirty = false;
    self(j)->committed = self(j)->filling++;
    vhost_committed(self(j)->vhost, self(j)->committed, (struct moment){1, 1});
}

static const struct journal_ops null_ops = {
    .put = null_put,
    .erase = null_erase,
    .lane_new = null_lane_new,
    .lane_drop = null_lane_drop,
    .append = null_append,
    .settle = null_settle,
    .body_bytes = null_body_bytes,
    .delivered = null_settle,
    .filling = null_filling,
    .await = null_await,
    .committed = null_committed,
    .flush = null_flush,
};

/* ---- The bench. */

struct bench {
    struct null_journal journal;
    struct vhost *vhost;
    struct peer *peer;
    uint64_t delivered, confirmed, delivered_bytes, last_tag;
};

static const struct moment now = {1, 1};

static void on_event(void *context, void *owner, const struct event *event)
{
    struct bench *b = context;
    (void)owner;
    if (event->type == EVENT_DELIVER) {
        b->delivered++;
        b->delivered_bytes += delivery_bytes(event->u.deliver.message);
        b->last_tag = event->u.deliver.tag;
    } else if (event->type == EVENT_CONFIRM) {
        b->confirmed = event->u.confirm.upto;
    } else if (event->type == EVENT_REPLY) {
        CHECK(event->u.reply.status == STATUS_OK);
    }
}

static void apply(struct bench *b, struct command command)
{
    command.channel = 1;
    vhost_apply(b->vhost, b->peer, &command, now);
}

static void open_bench(struct bench *b, unsigned queues, bool durable, bool no_ack)
{
    *b = (struct bench){.journal = {.head.ops = &null_ops, .filling = 1}};
    struct vhost_options options = {
        .name = bytes_of_text("/"),
        .journal = &b->journal.head,
        .random_seed = 1,
        .event = on_event,
        .context = b,
        .limits = {.resident_bytes_max = (size_t)1 << 30, .message_bytes_max = 1 << 27},
        .peer_window_bytes = 1 << 20,
    };
    b->vhost = b->journal.vhost = vhost_new(&options);
    struct peer_options peer = {.name = bytes_of_text("bench"), .user = bytes_of_text("guest")};
    b->peer = vhost_attach(b->vhost, &peer, now);
    apply(b, (struct command){.type = COMMAND_CHANNEL_OPEN});
    for (unsigned i = 0; i < queues; i++) {
        char name[32];
        snprintf(name, sizeof name, "queue-%u", i);
        apply(b, (struct command){
                     .type = COMMAND_QUEUE_DECLARE,
                     .no_wait = true,
                     .u.queue_declare = {.name = bytes_of_text(name), .durable = durable}});
        apply(b, (struct command){.type = COMMAND_QUEUE_BIND,
                                  .no_wait = true,
                                  .u.bind = {.source = bytes_of_text("amq.fanout"),
                                             .destination = bytes_of_text(name)}});
        apply(b, (struct command){
                     .type = COMMAND_CONSUME,
                     .u.consume = {.queue = bytes_of_text(name), .consumer = i, .no_ack = no_ack}});
    }
    if (durable)
        apply(b, (struct command){.type = COMMAND_CONFIRM_SELECT});
}

static void close_bench(struct bench *b)
{
    vhost_free(&b->vhost);
}

static struct message *make(const char *exchange, const char *key, bool persistent)
{
    static const uint8_t properties[] = {0x10, 0, 2}, none[] = {0, 0};
    struct message *message = message_new(
        bytes_of_text(exchange), bytes_of_text(key),
        persistent ? bytes_of(properties, sizeof properties) : bytes_of(none, sizeof none), 16);
    CHECK(message);
    message->persistent = persistent;
    CHECK(message_fill(message, NULL, (const uint8_t *)"0123456789abcdef", 16) == STATUS_OK);
    return message;
}

static void run(const char *what, uint64_t messages, unsigned queues, bool durable, bool no_ack,
                unsigned ack_every)
{
    struct bench b;
    open_bench(&b, queues, durable, no_ack);
    const char *exchange = queues > 1 ? "amq.fanout" : "", *key = queues > 1 ? "" : "queue-0";
    uint64_t making = 0, begin = clock_steady_ns();
    for (uint64_t i = 0; i < messages; i++)
        apply(&b, (struct command){.type = COMMAND_CREDIT}); /* the call's own cost */
    uint64_t bare = clock_steady_ns() - begin;
    begin = clock_steady_ns();
    for (uint64_t i = 0; i < messages; i++) {
        struct message *message = make(exchange, key, durable);
        message_unref(&message);
    }
    making = clock_steady_ns() - begin;
    begin = clock_steady_ns();
    for (uint64_t i = 1; i <= messages; i++) {
        apply(&b, (struct command){.type = COMMAND_PUBLISH,
                                   .u.publish.message = make(exchange, key, durable)});
        if (ack_every && i % ack_every == 0)
            apply(&b, (struct command){.type = COMMAND_ACK,
                                       .u.ack = {.tag = b.last_tag, .multiple = true}});
        if (i % 64 == 0) {
            vhost_flush(b.vhost, now);
            journal_flush(&b.journal.head);
            apply(&b, (struct command){.type = COMMAND_CREDIT,
                                       .u.credit.bytes = (uint32_t)b.delivered_bytes});
            b.delivered_bytes = 0;
        }
    }
    uint64_t all = clock_steady_ns() - begin;
    printf("%-44s %7.1f ns a message (message itself %.1f, a bare call %.1f)\n", what,
           (double)(all - making) / (double)messages, (double)making / (double)messages,
           (double)bare / (double)messages);
    CHECK(b.delivered == messages * queues);
    close_bench(&b);
}

static size_t resident_bytes(void)
{
    uint64_t pages[2]; /* in all, resident */
    return number_file("/proc/self/statm", pages, 2) == 2 ? pages[1] * 4096 : 0;
}

/* A backlog of durable messages, all but the ends of the queue on disk. */
static void run_deep(uint64_t messages)
{
    struct bench b;
    open_bench(&b, 1, true, true);
    apply(&b, (struct command){.type = COMMAND_CANCEL});
    size_t before = resident_bytes();
    uint64_t begin = clock_steady_ns();
    for (uint64_t i = 1; i <= messages; i++) {
        apply(&b, (struct command){.type = COMMAND_PUBLISH,
                                   .u.publish.message = make("", "queue-0", true)});
        if (i % 64 == 0) {
            vhost_flush(b.vhost, now);
            journal_flush(&b.journal.head);
        }
    }
    uint64_t all = clock_steady_ns() - begin;
    printf("%-44s %7.1f ns a message, %.1f MB for %llu\n", "durable, confirms, no consumer",
           (double)all / (double)messages, (double)(resident_bytes() - before) / 1e6,
           (unsigned long long)messages);
    close_bench(&b);
}

static void run_idle(unsigned queues)
{
    struct bench b;
    open_bench(&b, 1, false, true);
    size_t before = resident_bytes();
    uint64_t begin = clock_steady_ns();
    for (unsigned i = 1; i <= queues; i++) {
        char name[32];
        snprintf(name, sizeof name, "queue-%u", i);
        apply(&b, (struct command){.type = COMMAND_QUEUE_DECLARE,
                                   .no_wait = true,
                                   .u.queue_declare = {.name = bytes_of_text(name)}});
    }
    uint64_t all = clock_steady_ns() - begin;
    size_t empty = resident_bytes() - before;
    for (unsigned i = 1; i <= queues; i++) {
        char name[32];
        snprintf(name, sizeof name, "queue-%u", i);
        apply(&b, (struct command){.type = COMMAND_PUBLISH,
                                   .u.publish.message = make("", name, false)});
        apply(&b, (struct command){.type = COMMAND_GET,
                                   .u.get = {.queue = bytes_of_text(name), .no_ack = true}});
    }
    printf("%-44s %7.1f ns a declare, %zu bytes a queue, %zu once used\n", "100,000 queues",
           (double)all / queues, empty / queues, (resident_bytes() - before) / queues);
    close_bench(&b);
}

int main(int argc, char **argv)
{
    uint64_t messages = argc > 1 ? strtoull(argv[1], NULL, 10) : 2000000;
    run("transient, auto-ack", messages, 1, false, true, 0);
    run("transient, acked every 100", messages, 1, false, false, 100);
    run("transient, acked one by one", messages, 1, false, false, 1);
    run("durable, confirms, auto-ack", messages, 1, true, true, 0);
    run("durable, confirms, acked every 100", messages, 1, true, false, 100);
    run("transient, fan-out 8, auto-ack", messages / 4, 8, false, true, 0);
    run_deep(messages);
    run_idle(100000);
    return 0;
}
