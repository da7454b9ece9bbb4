/* Exchanges and bindings of a world, and which queues a message reaches by them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "leveret/wire/table.h"
#include "sim.h"

static const char *const topic_patterns[] = {"k0", "k*.#", "#", "*", "k1.#"};
/* for a topic pattern: which of k0 … k3 it matches */
static const unsigned topic_takes[] = {1, 0, 15, 15, 2};

/* ---- Made. */

static queue_mask some_queues(void)
{
    return (queue_mask)(pick(1u << here->world.queue_count) & ~1u);
}

static unsigned keys_of(const struct sim_exchange *exchange)
{
    return exchange->routing ? 1 : KEYS;
}

void exchanges_make(void)
{
    static const struct sim_exchange all[X_COUNT] = {
        [X_DEFAULT] = {.name = "", .type = "direct", .used = true, .exists = true},
        [X_DIRECT] = {.name = "xd", .type = "direct"},
        [X_FANOUT] = {.name = "xf", .type = "fanout", .routing = ROUTE_ALL},
        [X_TOPIC] = {.name = "xt", .type = "topic"},
        [X_HASH] = {.name = "xh", .type = "x-consistent-hash", .routing = ROUTE_ONE},
        [X_RANDOM] = {.name = "xr", .type = "x-random", .routing = ROUTE_ONE},
        [X_MODULUS] = {.name = "xm", .type = "x-modulus-hash", .routing = ROUTE_ONE},
        [X_DELAYED] = {.name = "xl", .type = "x-delayed-message", .delays = true},
        [X_ALTERNATE] = {.name = "xa", .type = "direct"},
        [X_CHAIN] = {.name = "xc", .type = "direct"},
        [X_HEADERS] = {.name = "xe", .type = "headers"},
        [X_DEDUP] = {.name = "xu", .type = "direct", .dedups = true},
    };
    memcpy(here->world.exchanges, all, sizeof all);
    for (unsigned x = 1; x < X_COUNT; x++) {
        struct sim_exchange *exchange = &here->world.exchanges[x];
        exchange->used = chance(60);
        for (unsigned k = 0; k < keys_of(exchange); k++)
            exchange->keys[k] = some_queues();
        if (exchange->routing == ROUTE_ONE && !exchange->keys[0])
            exchange->used = false;
    }
    struct sim_exchange *topic = &here->world.exchanges[X_TOPIC];
    memset(topic->keys, 0, sizeof topic->keys);
    for (unsigned q = 1; q < here->world.queue_count; q++)
        for (unsigned k = 0; k < KEYS; k++)
            if (topic_takes[(q + here->world.seed) % 5] >> k & 1)
                topic->keys[k] |= MASK(q);
    here->world.exchanges[X_DEDUP].used &= here->world.identifiers;
    /* An unrouted message goes to the fanout exchange; the chain passes on messages with the key
     * k0. */
    here->world.exchanges[X_FANOUT].used = true;
}

void exchanges_show(struct text *out)
{
    for (unsigned x = 1; x < X_COUNT; x++)
        if (here->world.exchanges[x].used)
            text_printf(out, "  exchange %s %s to %x %x %x %x\n", here->world.exchanges[x].name,
                        here->world.exchanges[x].type, here->world.exchanges[x].keys[0],
                        here->world.exchanges[x].keys[1], here->world.exchanges[x].keys[2],
                        here->world.exchanges[x].keys[3]);
}

/* ---- Declared and bound. */

static void declare(const char *who, const char *name, const char *type,
                    const struct text *arguments)
{
    struct command command = {.type = COMMAND_EXCHANGE_DECLARE, .channel = channel_of(who)};
    command.u.exchange_declare.name = bytes_of_text(name);
    command.u.exchange_declare.type = bytes_of_text(type);
    command.u.exchange_declare.durable = true;
    command.u.exchange_declare.arguments = text_bytes(arguments);
    harness_do(&here->h, who[0], &command);
}

static void declare_one(const char *who, struct sim_exchange *exchange, unsigned x)
{
    struct text arguments = {0};
    if (exchange->delays)
        table_put_string(&arguments, "x-delayed-type", BYTES_LITERAL("direct"));
    if (x == X_ALTERNATE)
        table_put_string(&arguments, "alternate-exchange", BYTES_LITERAL("xf"));
    if (exchange->dedups) {
        table_put_bool(&arguments, "x-message-deduplication", true);
        table_put_i64(&arguments, "x-cache-size", 100000);
    }
    declare(who, exchange->name, exchange->type, &arguments);
    text_free(&arguments);
}

static void send_binding(const char *who, enum command_type type, const char *source,
                         const char *destination, const char *key, const struct text *arguments)
{
    struct command command = {.type = type, .channel = channel_of(who)};
    command.u.bind.source = bytes_of_text(source);
    command.u.bind.destination = bytes_of_text(destination);
    command.u.bind.routing_key = bytes_of_text(key);
    command.u.bind.arguments = text_bytes(arguments);
    harness_do(&here->h, who[0], &command);
}

/* The arguments of a binding to a headers exchange: all pairs, any pair, or one key of two. */
static void headers_wanted(struct text *arguments, unsigned q, unsigned k)
{
    char key[8];
    unsigned form = (unsigned)((q + here->world.seed) % 3);
    snprintf(key, sizeof key, "k%u", k);
    table_put_string(arguments, "key", bytes_of_text(key));
    if (form == 0) {
        table_put_string(arguments, "x-match", BYTES_LITERAL("all"));
        table_put_i64(arguments, "always", 1);
    } else if (form == 1) {
        table_put_string(arguments, "x-match", BYTES_LITERAL("any"));
        table_put_i64(arguments, "never", 1);
    }
}

static void bind_one(const char *who, bool bind, unsigned x, unsigned q, unsigned k)
{
    struct sim_exchange *exchange = &here->world.exchanges[x];
    struct text arguments = {0};
    char key[8];
    snprintf(key, sizeof key, exchange->routing ? "1" : "k%u", k);
    const char *wanted = x == X_TOPIC ? topic_patterns[(q + here->world.seed) % 5] : key;
    if (x == X_HEADERS)
        headers_wanted(&arguments, q, k);
    send_binding(who, bind ? COMMAND_QUEUE_BIND : COMMAND_QUEUE_UNBIND, exchange->name,
                 here->world.queues[q].name, x == X_HEADERS ? "" : wanted, &arguments);
    text_free(&arguments);
    for (unsigned other = 0; other < keys_of(exchange); other++) /* a topic has one for all keys */
        if (other == k || x == X_TOPIC)
            exchange->bound[other] = (queue_mask)((exchange->bound[other] & ~MASK(q)) |
                                                  (bind ? exchange->keys[other] & MASK(q) : 0));
}

void exchanges_bind(const char *who, unsigned q)
{
    if (q == 0) {
        do_bind(&here->h, who, "xdead", here->world.queues[q].name, "");
        return;
    }
    for (unsigned x = 1; x < X_COUNT; x++) {
        const struct sim_exchange *exchange = &here->world.exchanges[x];
        for (unsigned k = 0; exchange->exists && k < keys_of(exchange); k++)
            if (exchange->keys[k] & MASK(q) || x == X_TOPIC)
                bind_one(who, true, x, q, k);
    }
}

void exchanges_declare(const char *who, bool all)
{
    if (all ||
        !vhost_find_exchange(here->h.vhost, BYTES_LITERAL("xdead"), &(struct exchange_info){0}))
        declare(who, "xdead", "fanout", &(struct text){0});
    bool changed = all;
    for (unsigned x = 1; x < X_COUNT; x++) {
        struct sim_exchange *exchange = &here->world.exchanges[x];
        if (!exchange->used || (exchange->exists && !all))
            continue;
        declare_one(who, exchange, x);
        bool made = !exchange->exists;
        exchange->exists = true;
        changed = true;
        for (unsigned q = 1; made && q < here->world.queue_count; q++) {
            const struct sim_queue *queue = &here->world.queues[q];
            bool may = queue->exists && (!queue->exclusive || who[0] == 'A');
            for (unsigned k = 0; may && k < keys_of(exchange); k++)
                if (exchange->keys[k] & MASK(q) || x == X_TOPIC)
                    bind_one(who, true, x, q, k);
        }
    }
    if (!changed || !here->world.exchanges[X_CHAIN].exists)
        return;
    send_binding(who, COMMAND_EXCHANGE_BIND, "xc", "xf", "k0", &(struct text){0});
    here->world.chained = true;
}

void exchanges_look(void)
{
    struct exchange_info info;
    for (unsigned x = 1; x < X_COUNT && !here->h.halted; x++) {
        const struct sim_exchange *exchange = &here->world.exchanges[x];
        if (vhost_find_exchange(here->h.vhost, bytes_of_text(exchange->name), &info) !=
            exchange->exists)
            sim_fail("exchange %s is%s there", exchange->name, exchange->exists ? " not" : "");
    }
}

/* ---- Deleting and unbinding. */

void exchanges_queue_gone(unsigned q)
{
    for (unsigned x = 1; x < X_COUNT; x++)
        for (unsigned k = 0; k < KEYS; k++)
            here->world.exchanges[x].bound[k] &= (queue_mask)~MASK(q);
}

static void gone(unsigned x)
{
    struct sim_exchange *exchange = &here->world.exchanges[x];
    exchange->exists = false;
    memset(exchange->bound, 0, sizeof exchange->bound);
    if (x == X_CHAIN || x == X_FANOUT)
        here->world.chained = false;
}

void exchanges_crashed(void)
{
    here->world.late = false; /* it may be there or not */
    for (unsigned x = 1; x < X_COUNT; x++) {
        struct bytes name = bytes_of_text(here->world.exchanges[x].name);
        gone(x); /* a crash may have undone bindings and unbindings, so all are bound again */
        here->world.exchanges[x].exists =
            vhost_find_exchange(here->h.vhost, name, &(struct exchange_info){0});
    }
}

/* The queues that the exchange leads to change. */
static void ways_change(unsigned x)
{
    ledger_unrouted(x);
    if (x == X_FANOUT) { /* other exchanges lead to this one */
        ledger_unrouted(X_ALTERNATE);
        ledger_unrouted(X_CHAIN);
    }
}

void unbind_some(void)
{
    unsigned x = 1 + pick(X_COUNT - 1), q = 1 + pick(here->world.queue_count - 1);
    const struct sim_exchange *exchange = &here->world.exchanges[x];
    const struct sim_queue *queue = &here->world.queues[q];
    unsigned k = pick(keys_of(exchange));
    if (!exchange->exists || !queue->exists || exchange->leaving || queue->leaving ||
        queue->exclusive)
        return;
    bool bind = !(exchange->bound[k] & MASK(q));
    if (bind && !(exchange->keys[k] & MASK(q)))
        return;
    sim_trail("%s %s of %s, key %u", bind ? "bind" : "unbind", queue->name, exchange->name, k);
    ways_change(x);
    bind_one("B1", bind, x, q, k);
}

void delete_exchange(void)
{
    unsigned x = 1 + pick(X_COUNT - 1);
    struct sim_exchange *exchange = &here->world.exchanges[x];
    struct command command = {.type = COMMAND_EXCHANGE_DELETE, .channel = 1};
    if (!exchange->exists || exchange->leaving)
        return;
    sim_trail("delete exchange %s", exchange->name);
    ways_change(x);
    exchange->leaving = true;
    command.u.exchange_delete.name = bytes_of_text(exchange->name);
    harness_do(&here->h, 'B', &command);
    exchange->leaving = false;
    ways_change(x);
    gone(x);
    if (exchange->dedups)
        dedup_forgotten();
    if (exchange->dedups) /* the identifiers that it knew are not recovered after a crash */
        sync_all();
}

void exchange_late(bool there)
{
    struct command command = {.type = COMMAND_EXCHANGE_DELETE, .channel = 1};
    if (here->world.late == there)
        return;
    here->world.late = there;
    sim_trail("letters that were late %s", there ? "may go" : "have to wait");
    command.u.exchange_delete.name = BYTES_LITERAL("xlate");
    if (!there) {
        harness_do(&here->h, 'A', &command);
        return;
    }
    declare("A1", "xlate", "fanout", &(struct text){0});
    do_bind(&here->h, "A1", "xlate", here->world.queues[0].name, "");
}

void exchanges_clear(void)
{
    exchange_late(false);
    for (unsigned x = 0; x < X_COUNT; x++) {
        struct command command = {.type = COMMAND_EXCHANGE_DELETE, .channel = 1};
        command.u.exchange_delete.name = bytes_of_text(x ? here->world.exchanges[x].name : "xdead");
        harness_do(&here->h, 'A', &command);
    }
}

/* ---- Routes. */

queue_mask exchanges_route(unsigned x, unsigned key, bool loose)
{
    const struct sim_exchange *exchange = &here->world.exchanges[x];
    const struct sim_exchange *fanout = &here->world.exchanges[X_FANOUT];
    unsigned k = exchange->routing ? 0 : key;
    queue_mask mask = loose ? exchange->keys[k] : exchange->bound[k];
    queue_mask others = loose ? fanout->keys[0] : fanout->bound[0];
    if (x == X_CHAIN && key == 0 && (loose || here->world.chained))
        mask |= others;
    if (x == X_ALTERNATE && !mask)
        mask = others;
    return mask;
}
