/* What the route of one publish costs with few and with very many bindings that do not match.
 *
 *   route_bench [routes [type [bindings]]]
 *
 * prints for each type and number of bindings: nanoseconds and places looked at for each route, and
 * bytes of memory for each binding. For instructions run one type under callgrind with two numbers
 * of routes and take the difference, or count only the routes:
 *
 *   valgrind --tool=callgrind --toggle-collect=route_message route_bench 100000 topic 100000 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

#include "broker/topology/route.h"
#include "broker/topology/topology.h"
#include "leveret/base/clock.h"
#include "leveret/base/mem.h"
#include "leveret/wire/properties.h"
#include "leveret/wire/table.h"

struct bench {
    struct map queues;
    struct topology *topology;
    struct endpoint queue;
    const char *exchange; /* of an exchange type beyond the standard's, named like it */
};

static void die(const char *what)
{
    fprintf(stderr, "route_bench: %s\n", what);
    exit(1);
}

static void bind(struct bench *b, const char *exchange, const char *key, struct bytes arguments)
{
    struct refusal refusal;
    struct binding_declaration d = {.source = bytes_of_text(exchange),
                                    .destination = b->queue.name,
                                    .routing_key = bytes_of_text(key),
                                    .arguments = arguments,
                                    .kind = ENDPOINT_QUEUE};
    if (topology_bind(b->topology, &d, &refusal) != STATUS_OK)
        die(refusal.text);
}

/* One binding of each kind; number 0 is the one that the message matches. */
static void bind_default(struct bench *b, unsigned number)
{
    /* Queues are the bindings of the default exchange. */
    char name[32];
    struct endpoint *other = mem_need(sizeof *other + sizeof name);
    char *at = (char *)(other + 1);
    snprintf(at, sizeof name, "orders.n%u.created", number);
    topology_join(b->topology, other, bytes_of_text(at), false);
    (void)map_put(&b->queues, other->name, other);
}

static void bind_direct(struct bench *b, unsigned number)
{
    char key[32];
    snprintf(key, sizeof key, "orders.n%u.created", number);
    bind(b, "amq.direct", key, (struct bytes){0});
}

static void bind_topic(struct bench *b, unsigned number)
{
    static const char *const formats[] = {"orders.n%u.*", "*.n%u.created", "orders.n%u.#", "#.n%u"};
    char key[32];
    snprintf(key, sizeof key, formats[number % 4], number);
    bind(b, "amq.topic", key, (struct bytes){0});
}

static void bind_headers(struct bench *b, unsigned number)
{
    struct text arguments = {0};
    table_put_string(&arguments, "x-match", bytes_of_text(number % 2 ? "any" : "all"));
    if (number % 2 == 0)
        table_put_string(&arguments, "type", bytes_of_text("order"));
    table_put_i32(&arguments, "customer", (int32_t)number);
    bind(b, "amq.headers", "", text_bytes(&arguments));
    text_free(&arguments);
}

static void bind_hash(struct bench *b, unsigned number)
{
    char name[32];
    struct endpoint *other = mem_need(sizeof *other + sizeof name);
    char *at = (char *)(other + 1);
    struct refusal refusal;
    snprintf(at, sizeof name, "orders.n%u.created", number);
    topology_join(b->topology, other, bytes_of_text(at), false);
    (void)map_put(&b->queues, other->name, other);
    struct binding_declaration d = {.source = bytes_of_text(b->exchange),
                                    .destination = other->name,
                                    .routing_key = bytes_of_text("1"),
                                    .kind = ENDPOINT_QUEUE};
    if (topology_bind(b->topology, &d, &refusal) != STATUS_OK)
        die(refusal.text);
}

static const struct kind {
    const char *name, *exchange;
    void (*bind)(struct bench *b, unsigned number);
} kinds[] = {
    {"default", "", bind_default},
    {"direct", "amq.direct", bind_direct},
    {"topic", "amq.topic", bind_topic},
    {"headers", "amq.headers", bind_headers},
    {"x-consistent-hash", "x-consistent-hash", bind_hash},
    {"x-modulus-hash", "x-modulus-hash", bind_hash},
    {"x-random", "x-random", bind_hash},
};

static struct message *make_message(const struct kind *kind)
{
    struct text headers = {0}, encoded = {0};
    struct properties p = {.present = PROPERTY_DELIVERY_MODE, .delivery_mode = 2};
    if (bytes_equal_text(bytes_of_text(kind->name), "headers")) {
        table_put_string(&headers, "type", bytes_of_text("order"));
        table_put_i64(&headers, "customer", 0);
        table_put_string(&headers, "country", bytes_of_text("nl"));
        p.present |= PROPERTY_HEADERS;
        p.headers = text_bytes(&headers);
    }
    properties_encode(&p, &encoded);
    struct message *m = message_new(bytes_of_text(kind->exchange),
                                    BYTES_LITERAL("orders.n0.created"), text_bytes(&encoded), 0);
    if (!m)
        die("no memory");
    text_free(&headers);
    text_free(&encoded);
    return m;
}

static void drop_queues(struct bench *b)
{
    size_t at = 0;
    struct endpoint *other;
    while ((other = map_next(&b->queues, &at))) {
        if (other != &b->queue)
            free(other);
    }
    map_free(&b->queues);
}

static void run(const struct kind *kind, unsigned bindings, unsigned routes)
{
    struct bench b = {.queues = {0}};
    struct route_result result = {0};
    struct message *message = make_message(kind);

    b.topology = topology_new(BYTES_LITERAL("/"), &b.queues, NULL);
    topology_join(b.topology, &b.queue, BYTES_LITERAL("q"), false);
    (void)map_put(&b.queues, b.queue.name, &b.queue);
    b.exchange = kind->exchange;
    struct exchange_declaration d = {.name = bytes_of_text(kind->exchange),
                                     .type = bytes_of_text(kind->exchange)};
    struct refusal refusal;
    if (bytes_start_with(d.name, "x-") &&
        topology_declare(b.topology, &d, NULL, &refusal) != STATUS_OK)
        die(refusal.text);
    size_t before = mallinfo2().uordblks + mallinfo2().hblkhd;
    for (unsigned i = 0; i < bindings; i++)
        kind->bind(&b, i);
    size_t bytes = mallinfo2().uordblks + mallinfo2().hblkhd - before;

    uint64_t started = clock_steady_ns();
    for (unsigned i = 0; i < routes; i++) {
        struct exchange *x = topology_exchange(b.topology, message_exchange(message));
        route_message(b.topology, x, message, &result);
        if (result.count != 1)
            die("the message did not reach its queue");
    }
    uint64_t took = clock_steady_ns() - started;
    printf("%-17s %8u bindings  %7.1f ns  %3llu places  %5zu bytes a binding\n", kind->name,
           bindings, (double)took / routes, (unsigned long long)result.work, bytes / bindings);
    message_unref(&message);
    route_result_free(&result);
    topology_free(&b.topology);
    drop_queues(&b);
}

int main(int argc, char **argv)
{
    unsigned routes = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 0) : 1000000;
    unsigned only = argc > 3 ? (unsigned)strtoul(argv[3], NULL, 0) : 0;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (argc > 2 && strcmp(argv[2], kinds[i].name) != 0)
            continue;
        if (only) {
            run(&kinds[i], only, routes);
        } else {
            run(&kinds[i], 10, routes);
            run(&kinds[i], 100000, routes);
        }
    }
    return 0;
}
