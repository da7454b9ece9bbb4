/* A topology with queues that are nothing but endpoints, and short words for declaring and binding.
 * For the tests of routing. */
#ifndef TESTS_TOPOLOGY_FIXTURE_H
#define TESTS_TOPOLOGY_FIXTURE_H

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "broker/topology/route.h"
#include "broker/topology/topology.h"
#include "leveret/base/mem.h"
#include "leveret/wire/properties.h"
#include "leveret/wire/table.h"

struct stub_queue {
    struct endpoint endpoint; /* first */
    char name[64];
};

struct fixture {
    struct map queues;
    struct topology *topology;
    struct refusal refusal;
    struct route_result result;
    unsigned exchanges_added, exchanges_removed, bindings_added, bindings_removed;
};

static inline void count_exchange_added(void *context, const struct exchange *x)
{
    (void)x;
    ((struct fixture *)context)->exchanges_added++;
}

static inline void count_exchange_removed(void *context, const struct exchange *x)
{
    (void)x;
    ((struct fixture *)context)->exchanges_removed++;
}

static inline void count_binding_added(void *context, const struct binding *b)
{
    (void)b;
    ((struct fixture *)context)->bindings_added++;
}

static inline void count_binding_removed(void *context, const struct binding *b)
{
    (void)b;
    ((struct fixture *)context)->bindings_removed++;
}

static inline void fixture_open(struct fixture *f)
{
    *f = (struct fixture){0};
    struct topology_observer observer = {
        .context = f,
        .exchange_added = count_exchange_added,
        .exchange_removed = count_exchange_removed,
        .binding_added = count_binding_added,
        .binding_removed = count_binding_removed,
    };
    f->topology = topology_new(bytes_of_text("/"), &f->queues, &observer);
}

static inline void fixture_close(struct fixture *f)
{
    size_t at = 0;
    struct stub_queue *q;
    topology_free(&f->topology);
    while ((q = map_next(&f->queues, &at)))
        free(q);
    map_free(&f->queues);
    route_result_free(&f->result);
}

static inline struct stub_queue *add_queue(struct fixture *f, const char *name)
{
    struct stub_queue *q = mem_need(sizeof *q);
    snprintf(q->name, sizeof q->name, "%s", name);
    topology_join(f->topology, &q->endpoint, bytes_of_text(q->name), true);
    (void)map_put(&f->queues, q->endpoint.name, q);
    return q;
}

static inline void drop_queue(struct fixture *f, const char *name)
{
    struct stub_queue *q = map_remove(&f->queues, bytes_of_text(name));
    topology_leave(f->topology, &q->endpoint);
    free(q);
}

static inline enum status declare(struct fixture *f, const char *name, const char *type)
{
    struct exchange_declaration d = {
        .name = bytes_of_text(name), .type = bytes_of_text(type), .durable = true};
    return topology_declare(f->topology, &d, NULL, &f->refusal);
}

static inline struct binding_declaration binding_to(enum endpoint_kind kind, const char *source,
                                                    const char *destination, const char *key)
{
    return (struct binding_declaration){.kind = kind,
                                        .source = bytes_of_text(source),
                                        .destination = bytes_of_text(destination),
                                        .routing_key = bytes_of_text(key)};
}

static inline enum status bind_queue(struct fixture *f, const char *source, const char *destination,
                                     const char *key)
{
    struct binding_declaration d = binding_to(ENDPOINT_QUEUE, source, destination, key);
    return topology_bind(f->topology, &d, &f->refusal);
}

static inline enum status unbind_queue(struct fixture *f, const char *source,
                                       const char *destination, const char *key)
{
    struct binding_declaration d = binding_to(ENDPOINT_QUEUE, source, destination, key);
    return topology_unbind(f->topology, &d, &f->refusal);
}

static inline enum status bind_exchange(struct fixture *f, const char *source,
                                        const char *destination, const char *key)
{
    struct binding_declaration d = binding_to(ENDPOINT_EXCHANGE, source, destination, key);
    return topology_bind(f->topology, &d, &f->refusal);
}

static inline struct exchange *exchange_named(struct fixture *f, const char *name)
{
    return topology_exchange(f->topology, bytes_of_text(name));
}

/* Routes a key and returns how many queues get it; they are in f->result. */
static inline size_t route_key(struct fixture *f, const char *exchange, const char *key)
{
    struct bytes k = bytes_of_text(key);
    struct route_input input = {.keys = &k, .key_count = 1};
    route(f->topology, exchange_named(f, exchange), &input, &f->result);
    return f->result.count;
}

static inline bool reached(const struct fixture *f, const char *queue)
{
    for (size_t i = 0; i < f->result.count; i++) {
        if (bytes_equal_text(f->result.queues[i]->name, queue))
            return true;
    }
    return false;
}

/* A message with these headers (a table's contents) and some properties around them. */
static inline struct message *message_with(struct bytes headers)
{
    struct properties p = {.present = PROPERTY_CONTENT_TYPE | PROPERTY_CONTENT_ENCODING |
                                      PROPERTY_HEADERS | PROPERTY_DELIVERY_MODE,
                           .content_type = bytes_of_text("text/plain"),
                           .content_encoding = bytes_of_text("utf-8"),
                           .headers = headers,
                           .delivery_mode = 2};
    struct text encoded = {0};
    properties_encode(&p, &encoded);
    struct message *m =
        message_new(bytes_of_text("h"), bytes_of_text("key"), text_bytes(&encoded), 0);
    text_free(&encoded);
    return m;
}

#endif
