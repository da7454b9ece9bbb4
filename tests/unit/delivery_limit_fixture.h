/* For the tests of delivery limits: a core, and commands on queues with such a limit. */
#ifndef TESTS_DELIVERY_LIMIT_FIXTURE_H
#define TESTS_DELIVERY_LIMIT_FIXTURE_H

#include <stdio.h>
#include <stdlib.h>

#include "core_harness.h"
#include "leveret/wire/properties.h"
#include "leveret/wire/table.h"

static struct harness h;

static inline void setup(void)
{
    harness_open(&h);
    do_open(&h, "A1");
    do_open(&h, "A2");
    do_declare(&h, "A1", "dead", "d");
    harness_sync(&h);
    harness_take(&h);
}

static inline void teardown(void)
{
    harness_close(&h);
}

static inline void restart(void)
{
    harness_crash(&h);
    do_open(&h, "A1");
    do_open(&h, "A2");
    harness_take(&h);
}

/* limit: x-delivery-limit; below -1: the argument is left out. Dead letters go to the queue "dead".
 */
static inline void declare(const char *queue, const char *type, int64_t limit)
{
    struct text arguments = {0};
    if (type)
        table_put_string(&arguments, "x-queue-type", bytes_of_text(type));
    if (limit >= -1)
        table_put_i64(&arguments, "x-delivery-limit", limit);
    table_put_string(&arguments, "x-dead-letter-exchange", bytes_of_text(""));
    table_put_string(&arguments, "x-dead-letter-routing-key", bytes_of_text("dead"));
    do_declare_args(&h, "A1", queue, "d", &arguments);
    text_free(&arguments);
    harness_sync(&h);
    harness_take(&h);
}

static inline void get_and_return(const char *queue, const char *line, uint64_t tag)
{
    do_get(&h, "A1", queue, "a");
    expect(&h, line);
    do_nack(&h, "A1", tag, false, true);
}

/* Gets the only message of the queue and hands it back, `times` times. *tag: the tag of the first
 * delivery; it is raised to that of the next one. */
static inline void return_times(const char *queue, unsigned times, uint64_t *tag)
{
    for (unsigned i = 0; i < times; i++, ++*tag) {
        do_get(&h, "A1", queue, "a");
        do_nack(&h, "A1", *tag, false, true);
    }
    harness_take(&h);
}

/* The same by basic.reject. */
static inline void reject_times(const char *queue, unsigned times, uint64_t *tag)
{
    for (unsigned i = 0; i < times; i++, ++*tag) {
        do_get(&h, "A1", queue, "a");
        do_reject(&h, "A1", *tag, true);
    }
    harness_take(&h);
}
static inline void declare_quorum(const char *queue, const char *dead_letter_exchange)
{
    struct text arguments = {0};
    table_put_string(&arguments, "x-queue-type", bytes_of_text("quorum"));
    if (dead_letter_exchange)
        table_put_string(&arguments, "x-dead-letter-exchange", bytes_of_text(dead_letter_exchange));
    do_declare_args(&h, "A1", queue, "d", &arguments);
    text_free(&arguments);
    harness_sync(&h);
    harness_take(&h);
}

#endif
