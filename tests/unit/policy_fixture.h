/* For the tests of policies: a core, and commands that set and clear policies. */
#ifndef TESTS_POLICY_FIXTURE_H
#define TESTS_POLICY_FIXTURE_H

#include <stdio.h>
#include <stdlib.h>

#include "core_harness.h"
#include "leveret/base/random.h"
#include "leveret/wire/table.h"

/* ---- Commands in few words. */

static inline void number(struct text *table, const char *key, int64_t value)
{
    table_put_i64(table, key, value);
}

static inline void word(struct text *table, const char *key, const char *value)
{
    table_put_string(table, key, bytes_of_text(value));
}

struct put {
    bool operator_policy;
    int64_t priority;
    enum policy_target target;
};

/* Frees the definition. */
static inline void put(struct harness *h, const struct put *how, const char *name,
                       const char *pattern, struct text *definition)
{
    struct command command = {.type = COMMAND_POLICY_PUT, .channel = 1};
    command.u.policy.operator_policy = how->operator_policy;
    command.u.policy.name = bytes_of_text(name);
    command.u.policy.pattern = bytes_of_text(pattern);
    command.u.policy.definition = text_bytes(definition);
    command.u.policy.priority = how->priority;
    command.u.policy.target = how->target;
    harness_do(h, 'A', &command);
    text_free(definition);
    *definition = (struct text){0};
}

static inline void put_number(struct harness *h, const char *name, const char *pattern,
                              int64_t priority, const char *key, int64_t value)
{
    struct text definition = {0};
    number(&definition, key, value);
    put(h, &(struct put){.priority = priority}, name, pattern, &definition);
}

static inline void put_limit(struct harness *h, const char *name, const char *pattern,
                             const char *key, int64_t value)
{
    struct text definition = {0};
    number(&definition, key, value);
    put(h, &(struct put){.operator_policy = true}, name, pattern, &definition);
}

static inline void clear(struct harness *h, bool operator_policy, const char *name)
{
    struct command command = {.type = COMMAND_POLICY_DELETE, .channel = 1};
    command.u.policy.operator_policy = operator_policy;
    command.u.policy.name = bytes_of_text(name);
    harness_do(h, 'A', &command);
}

/* What applies to a queue: "policy operator-policy key=value key=value". */
static inline const char *of_queue(struct harness *h, const char *name)
{
    static char text[512];
    struct queue_info info;
    struct bytes key;
    struct field field;
    struct text out = {0};
    ck_assert(vhost_find_queue(h->vhost, bytes_of_text(name), &info));
    text_printf(&out, "%.*s/%.*s", BYTES_PRINT(info.policy), BYTES_PRINT(info.operator_policy));
    struct reader at = reader_of(info.effective_definition);
    while (table_next(&at, &key, &field)) {
        text_printf(&out, " %.*s=", BYTES_PRINT(key));
        field_print(&out, &field);
    }
    ck_assert(out.len < sizeof text);
    memcpy(text, out.at, out.len);
    text[out.len] = '\0';
    text_free(&out);
    return text;
}

#define expect_queue(h, name, text) ck_assert_str_eq(of_queue(h, name), text)

static inline void open_broker(struct harness *h)
{
    *h = (struct harness){0};
    harness_open(h);
    do_open(h, "A1");
    harness_take(h);
}

static inline void reopen(struct harness *h)
{
    harness_sync(h);
    harness_crash(h);
    do_open(h, "A1");
    harness_take(h);
}

#endif
