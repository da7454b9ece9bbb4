/* For the tests of priorities: a core, and commands on queues with priorities. */
#ifndef TESTS_PRIORITY_FIXTURE_H
#define TESTS_PRIORITY_FIXTURE_H

#include <stdio.h>
#include <stdlib.h>

#include "core_harness.h"
#include "leveret/base/number.h"
#include "leveret/base/random.h"
#include "leveret/wire/table.h"

static struct harness h;

static inline void setup(void)
{
    harness_open(&h);
    do_open(&h, "A1");
    expect(&h, "A1 ok open\n");
}

static inline void teardown(void)
{
    harness_close(&h);
}

static inline void restart(void)
{
    harness_crash(&h);
    do_open(&h, "A1");
    harness_take(&h);
}

static inline void declare(const char *queue, const char *flags, int32_t max)
{
    struct text arguments = {0};
    table_put_i32(&arguments, "x-max-priority", max);
    do_declare_args(&h, "A1", queue, flags, &arguments);
    text_free(&arguments);
    harness_sync(&h);
}

static inline void declare_quorum(const char *argument, int32_t value)
{
    struct text arguments = {0};
    table_put_string(&arguments, "x-queue-type", bytes_of_text("quorum"));
    table_put_string(&arguments, "x-dead-letter-exchange", bytes_of_text(""));
    table_put_string(&arguments, "x-dead-letter-routing-key", bytes_of_text("dead"));
    if (argument)
        table_put_i32(&arguments, argument, value);
    do_declare_args(&h, "A1", "q", "d", &arguments);
    text_free(&arguments);
    do_declare(&h, "A1", "dead", "d");
    harness_sync(&h);
    harness_take(&h);
}

/* Publishes a message without a priority. */
static inline void publish_plain(const char *body)
{
    do_publish(&h, "A1", "", "q", body, "p");
}

static inline void publish(const char *body, uint8_t priority, const char *flags)
{
    do_publish_priority(&h, "A1", "q", body, priority, flags);
}

static inline struct queue_info info(void)
{
    struct queue_info found = {0};
    ck_assert(vhost_find_queue(h.vhost, bytes_of_text("q"), &found));
    return found;
}

/* Gets all messages of a queue, and checks their bodies, which are one letter each. */
static inline void expect_all_of(const char *queue, const char *bodies)
{
    for (; *bodies; bodies++) {
        char needle[] = {' ', *bodies, ' ', 0};
        do_get(&h, "A1", queue, "");
        harness_sync(&h);
        const char *line = harness_take(&h);
        ck_assert_msg(strstr(line, needle), "%s is not '%c'", line, *bodies);
    }
    do_get(&h, "A1", queue, "");
    expect(&h, "A1 empty\n");
}

static inline void expect_all(const char *bodies)
{
    expect_all_of("q", bodies);
}

/* ---- Many messages. */

/* The deliveries so far. check_drained checks that the highest priority comes first, and that the
 * messages of one priority come in their order. */
struct drained {
    unsigned count, last[256];
    int priority;
    uint32_t bytes;
    uint64_t tag;
};

static inline void check_drained(void *context, char peer, const struct event *event)
{
    struct drained *drained = context;
    (void)peer;
    if (event->type != EVENT_DELIVER)
        return;
    uint64_t number = 0;
    char text[20] = {0};
    uint8_t priority = event->u.deliver.message->priority;
    struct bytes body = message_body_piece(event->u.deliver.message, 0);
    memcpy(text, body.at, body.len < sizeof text - 1 ? body.len : sizeof text - 1);
    ck_assert(number_read(text, UINT32_MAX, &number));
    if (priority > drained->priority ||
        (drained->last[priority] && number <= drained->last[priority]))
        ck_abort_msg("%llu of priority %u out of order", (unsigned long long)number, priority);
    drained->last[priority] = (unsigned)number;
    drained->priority = priority;
    drained->count++;
    drained->bytes += delivery_bytes(event->u.deliver.message);
    drained->tag = event->u.deliver.tag;
}

static inline void fill(unsigned count, const char *flags)
{
    struct random_stream random = {.state = 42};
    h.quiet = true;
    for (unsigned i = 1; i <= count; i++) {
        char body[20];
        snprintf(body, sizeof body, "%u", i);
        publish(body, (uint8_t)(random_next(&random) % 256), flags);
        if (i % 500 == 0)
            harness_sync(&h);
    }
    harness_sync(&h);
    h.quiet = false;
}

static inline void drain(unsigned count)
{
    struct drained drained = {.priority = 255};
    h.quiet = true;
    h.watch = check_drained;
    h.watch_context = &drained;
    do_consume(&h, "A1", "q", 1, "a", 0);
    for (unsigned turns = 0; drained.count < count && turns < 20000; turns++) {
        harness_sync(&h);
        if (drained.tag)
            do_ack(&h, "A1", 0, true);
        do_credit(&h, "A1", drained.bytes);
        drained.bytes = 0;
    }
    do_ack(&h, "A1", 0, true);
    harness_sync(&h);
    h.watch = NULL;
    h.quiet = false;
    ck_assert_uint_eq(drained.count, count);
    ck_assert_uint_eq(info().messages_unacknowledged, 0);
}

#endif
