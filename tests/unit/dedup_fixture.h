/* For the tests of deduplication: a core, and commands on exchanges and queues that deduplicate. */
#ifndef TESTS_DEDUP_FIXTURE_H
#define TESTS_DEDUP_FIXTURE_H

#include <stdio.h>
#include <stdlib.h>

#include "core_harness.h"
#include "leveret/base/random.h"
#include "leveret/wire/properties.h"
#include "leveret/wire/table.h"

static struct harness h;
static uint8_t next_priority; /* the priority of the next messages */

static inline void setup(void)
{
    harness_open(&h);
    do_open(&h, "A1");
    do_plain(&h, "A1", COMMAND_CONFIRM_SELECT);
    harness_take(&h);
}

static inline void teardown(void)
{
    harness_close(&h);
}

static inline void again(void)
{
    do_open(&h, "A1");
    do_plain(&h, "A1", COMMAND_CONFIRM_SELECT);
    harness_take(&h);
}

/* The argument x-message-deduplication, and size and ttl where they are not 0. */
static inline void arguments_of(struct text *arguments, bool asked, int32_t size, int32_t ttl)
{
    if (asked)
        table_put_bool(arguments, "x-message-deduplication", true);
    if (size)
        table_put_i32(arguments, "x-cache-size", size);
    if (ttl)
        table_put_i32(arguments, "x-cache-ttl", ttl);
}

static inline void exchange(const char *name, const char *type, const struct text *arguments)
{
    struct command c = {.type = COMMAND_EXCHANGE_DECLARE, .channel = 1};
    c.u.exchange_declare.name = bytes_of_text(name);
    c.u.exchange_declare.type = bytes_of_text(type);
    c.u.exchange_declare.durable = true;
    c.u.exchange_declare.arguments = text_bytes(arguments);
    harness_do(&h, 'A', &c);
}

/* Makes an exchange x that deduplicates, and binds the durable queue q to it. */
static inline void dedup_exchange(int32_t size, int32_t ttl)
{
    struct text arguments = {0};
    arguments_of(&arguments, true, size, ttl);
    exchange("x", "fanout", &arguments);
    text_free(&arguments);
    do_declare(&h, "A1", "q", "d");
    do_bind(&h, "A1", "x", "q", "");
    harness_sync(&h);
    harness_take(&h);
}

static inline void dedup_queue(const char *name, const char *flags, int32_t size, int32_t ttl)
{
    struct text arguments = {0};
    arguments_of(&arguments, true, size, ttl);
    do_declare_args(&h, "A1", name, flags, &arguments);
    text_free(&arguments);
    harness_sync(&h);
    harness_take(&h);
}

/* flags: p persistent, m mandatory. */
static inline void publish_headers(const char *to, const char *key, const char *body,
                                   const struct text *headers, const char *flags)
{
    struct properties p = {.present = PROPERTY_HEADERS, .headers = text_bytes(headers)};
    struct text encoded = {0};
    if (strchr(flags, 'p')) {
        p.present |= PROPERTY_DELIVERY_MODE;
        p.delivery_mode = 2;
    }
    properties_encode(&p, &encoded);
    struct message *m =
        message_new(bytes_of_text(to), bytes_of_text(key), text_bytes(&encoded), strlen(body));
    ck_assert_int_eq(message_fill(m, NULL, (const uint8_t *)body, strlen(body)), STATUS_OK);
    m->persistent = strchr(flags, 'p') != NULL;
    m->has_headers = true;
    if (next_priority)
        harness_prioritise(&m, next_priority);
    struct command c = {.type = COMMAND_PUBLISH, .channel = 1};
    c.u.publish.message = m;
    c.u.publish.mandatory = strchr(flags, 'm') != NULL;
    harness_do(&h, 'A', &c);
    text_free(&encoded);
}

static inline void publish(const char *to, const char *key, const char *body,
                           const char *identifier, const char *flags)
{
    struct text headers = {0};
    table_put_string(&headers, "x-deduplication-header", bytes_of_text(identifier));
    publish_headers(to, key, body, &headers, flags);
    text_free(&headers);
}

static inline uint64_t ready(const char *queue)
{
    struct queue_info info;
    ck_assert(vhost_find_queue(h.vhost, bytes_of_text(queue), &info));
    return info.messages_ready;
}

static inline uint64_t refused(const char *queue)
{
    struct queue_info info;
    ck_assert(vhost_find_queue(h.vhost, bytes_of_text(queue), &info));
    return info.deduplicated;
}

#endif
