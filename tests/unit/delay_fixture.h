/* For the tests of delayed messages: a core, and commands on exchanges that delay. Thread: one. */
#ifndef TESTS_DELAY_FIXTURE_H
#define TESTS_DELAY_FIXTURE_H

#include "core_harness.h"
#include "leveret/wire/properties.h"
#include "leveret/wire/table.h"

static struct harness h;

static inline void setup(void)
{
    h.window_bytes = UINT32_MAX;
    harness_open(&h);
    do_open(&h, "A1");
    expect(&h, "A1 ok open\n");
}

static inline void teardown(void)
{
    harness_close(&h);
}

/* ---- Commands in few words. */

static inline void declare_delayed(const char *name, const char *inner, const char *flags)
{
    struct text arguments = {0};
    struct command command = {.type = COMMAND_EXCHANGE_DECLARE, .channel = 1};
    if (inner)
        table_put_string(&arguments, "x-delayed-type", bytes_of_text(inner));
    command.u.exchange_declare.name = bytes_of_text(name);
    command.u.exchange_declare.type = bytes_of_text("x-delayed-message");
    command.u.exchange_declare.arguments = text_bytes(&arguments);
    command.u.exchange_declare.durable = strchr(flags, 'd') != NULL;
    command.u.exchange_declare.auto_delete = strchr(flags, 'a') != NULL;
    harness_do(&h, 'A', &command);
    text_free(&arguments);
}

static inline void delete_exchange(const char *name)
{
    struct command command = {.type = COMMAND_EXCHANGE_DELETE, .channel = 1};
    command.u.exchange_delete.name = bytes_of_text(name);
    harness_do(&h, 'A', &command);
}

static inline void publish_headers(const char *exchange, const char *key, const void *body,
                                   size_t body_bytes, const struct text *headers, const char *flags)
{
    struct properties properties = {.present = PROPERTY_HEADERS, .headers = text_bytes(headers)};
    struct text encoded = {0};
    bool persistent = strchr(flags, 'p');
    if (persistent) {
        properties.present |= PROPERTY_DELIVERY_MODE;
        properties.delivery_mode = 2;
    }
    properties_encode(&properties, &encoded);
    struct message *message =
        message_new(bytes_of_text(exchange), bytes_of_text(key), text_bytes(&encoded), body_bytes);
    ck_assert_ptr_nonnull(message);
    message->persistent = persistent;
    message->has_headers = true;
    if (body_bytes)
        ck_assert_int_eq(message_fill(message, NULL, body, body_bytes), STATUS_OK);
    text_free(&encoded);
    struct command command = {.type = COMMAND_PUBLISH, .channel = 1};
    command.u.publish.message = message;
    command.u.publish.mandatory = strchr(flags, 'm') != NULL;
    harness_do(&h, 'A', &command);
}

static inline void publish_after(const char *exchange, const char *key, const char *body,
                                 int64_t delay_ms, const char *flags)
{
    struct text headers = {0};
    table_put_i64(&headers, "x-delay", delay_ms);
    publish_headers(exchange, key, body, strlen(body), &headers, flags);
    text_free(&headers);
}

/* Makes a durable exchange, a durable queue bound to it and a consumer that acks nothing. */
static inline void with_consumer(void)
{
    declare_delayed("x", "direct", "d");
    do_declare(&h, "A1", "q", "d");
    do_bind(&h, "A1", "x", "q", "k");
    do_consume(&h, "A1", "q", 1, "", 0);
    harness_sync(&h);
    harness_take(&h);
}

/* The broker stops and starts again, with a consumer. */
static inline void restart(void)
{
    harness_crash(&h);
    do_open(&h, "A1");
    do_consume(&h, "A1", "q", 1, "", 0);
    harness_take(&h);
}

static inline uint64_t waiting(const char *exchange)
{
    struct exchange_info info;
    ck_assert(vhost_find_exchange(h.vhost, bytes_of_text(exchange), &info));
    return info.messages_delayed;
}

#define CLOCK_LOOK_MS 5000u /* the same as in publish/delay_fire.c */

/* Lets the disk do what it can do without being waited for. */
static inline void disk_may_work(void)
{
#ifdef HARNESS_LEVELDB
    journal_poll(h.journal);
#else
    harness_disk(&h);
#endif
}

static inline void disk_works(void)
{
    for (int i = 0; i < 8; i++) {
        harness_turn(&h);
        harness_disk(&h);
    }
}

/* Lets time go by, with a disk that keeps up: vhost_tick is called at each deadline, to the
 * millisecond. */
static inline void pass(uint64_t ms)
{
    uint64_t end_ms = h.now.steady_ms + ms;
    for (;;) {
        uint64_t deadline_ms;
        while ((deadline_ms = vhost_deadline_ms(h.vhost)) <= h.now.steady_ms) {
            vhost_tick(h.vhost, h.now);
            harness_turn(&h);
            harness_disk(&h);
        }
        if (deadline_ms - h.now.steady_ms != CLOCK_LOOK_MS) {
            disk_works();
            deadline_ms = vhost_deadline_ms(h.vhost);
        }
        if (h.now.steady_ms >= end_ms && deadline_ms > end_ms)
            break;
        bool looks = deadline_ms == h.now.steady_ms + CLOCK_LOOK_MS;
        uint64_t until_ms = deadline_ms < end_ms ? deadline_ms : end_ms;
        uint64_t step_ms = until_ms > h.now.steady_ms ? until_ms - h.now.steady_ms : 0;
        h.now.steady_ms += step_ms;
        h.now.wall_ms += step_ms;
        if (looks) { /* a deadline only to look at the clock; there are many */
            vhost_tick(h.vhost, h.now);
            harness_turn(&h);
            disk_may_work();
        }
    }
    disk_works();
}

#endif
