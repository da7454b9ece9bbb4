/* Random worlds. The first queue is the sink: durable, without limits, where dead letters end.
 * Others send their dead letters to queues before them, so that none go round. In most worlds all
 * that may drop has a dead-letter exchange by argument, so that nothing may vanish; what vanishes
 * all the same is found at the end. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "leveret/wire/table.h"
#include "sim.h"

static const char *const topic_patterns[] = {"k0", "k*.#", "#", "*", "k1.#"};
/* keys[key] of a topic pattern: which of k0 … k3 it takes */
static const unsigned topic_takes[] = {1, 0, 15, 15, 2};

static void put_i(struct text *out, const char *key, unsigned value)
{
    table_put_i64(out, key, value);
}

static void put_s(struct text *out, const char *key, const char *value)
{
    table_put_string(out, key, bytes_of_text(value));
}

/* ---- Queues. */

static void dead_letters(struct sim_queue *queue, unsigned q)
{
    struct text *arguments = &queue->arguments;
    unsigned next = pick(q);
    queue->dead_letters = true;
    if (chance(20)) {
        put_s(arguments, "x-dead-letter-exchange", "xdead"); /* to the sink */
        next = 0;
    } else {
        put_s(arguments, "x-dead-letter-exchange", "");
        put_s(arguments, "x-dead-letter-routing-key", sim.world.queues[next].name);
    }
    queue->next = MASK(next);
}

static void limits(struct sim_queue *queue)
{
    static const char *const overflows[] = {"drop-head", "reject-publish", "reject-publish-dlx"};
    struct text *arguments = &queue->arguments;
    if (chance(70))
        put_i(arguments, "x-max-length", 1 + pick(chance(50) ? 5 : 60));
    if (chance(30))
        put_i(arguments, "x-max-length-bytes", 700 + pick(8000));
    unsigned overflow = pick(queue->keeps_all ? 2 : 3);
    if (!chance(75)) {
        queue->may_drop = true;
        return;
    }
    put_s(arguments, "x-overflow", overflows[overflow]);
    queue->may_refuse = overflow > 0;
    queue->may_drop |= overflow != 1;
    if (overflow == 1 && queue->dead_letters && chance(75)) {
        put_s(arguments, "x-dead-letter-strategy", "at-least-once");
        queue->at_least_once = true;
    }
}

static void kind(struct sim_queue *queue)
{
    unsigned what = pick(20);
    snprintf(queue->flags, sizeof queue->flags, "d");
    queue->stored = true;
    if (what < 5) {
        put_s(&queue->arguments, "x-queue-type", "quorum");
        queue->keeps_all = true;
    } else if (what < 7) {
        queue->flags[0] = '\0';
        queue->stored = false;
    } else if (what == 7) {
        snprintf(queue->flags, sizeof queue->flags, "x");
        queue->exclusive = queue->fleeting = true;
        queue->stored = false;
    } else if (what == 8) {
        snprintf(queue->flags, sizeof queue->flags, "da");
        queue->fleeting = true;
    } else if (what == 9) {
        queue->fleeting = true;
        put_i(&queue->arguments, "x-expires", 50 + pick(3000));
    }
}

static void make_queue(unsigned q, bool careful)
{
    struct sim_queue *queue = &sim.world.queues[q];
    snprintf(queue->name, sizeof queue->name, q ? "q%u" : "sink", q);
    queue->active_peer = -1;
    if (q == 0) {
        snprintf(queue->flags, sizeof queue->flags, "d");
        queue->stored = true;
        return;
    }
    kind(queue);
    struct text *arguments = &queue->arguments;
    if (careful || chance(50))
        dead_letters(queue, q);
    if (!queue->keeps_all && chance(25))
        put_i(arguments, "x-max-priority", queue->priority_max = 1 + pick(8));
    if (chance(20)) {
        table_put_bool(arguments, "x-single-active-consumer", true);
        queue->single = true;
    }
    if (chance(50))
        limits(queue);
    if (chance(30)) {
        queue->ttl_ms = 1 + pick(chance(50) ? 20 : 2000);
        put_i(arguments, "x-message-ttl", (unsigned)queue->ttl_ms);
        queue->may_drop = true;
    }
    if (chance(20)) {
        queue->delivery_limit = pick(5);
        put_i(arguments, "x-delivery-limit", queue->delivery_limit);
        queue->may_drop = true;
    } else if (queue->keeps_all && queue->dead_letters) {
        queue->delivery_limit = 20;
        queue->may_drop = true;
    }
    if (chance(10)) {
        sim.world.time_outs = true;
        put_i(arguments, "x-consumer-timeout", 1000 + pick(5000));
    }
}

/* ---- Policies. */

static void make_policy(unsigned p, bool careful)
{
    struct sim_policy *policy = &sim.world.policies[p];
    struct text *definition = &policy->definition;
    unsigned key = pick(6);
    policy->operator_policy = chance(30);
    policy->priority = (int)pick(3);
    snprintf(policy->name, sizeof policy->name, "p%u", p);
    if (chance(50))
        snprintf(policy->pattern, sizeof policy->pattern, "^q");
    else
        snprintf(policy->pattern, sizeof policy->pattern, "^q[%u]", 1 + pick(QUEUES_MAX - 1));
    policy->target = POLICY_QUEUES;
    bool drops = true, letters = false, refuses = false;
    if (key == 0 || key == 1) {
        unsigned value = 1 + pick(chance(50) ? 4 : 100);
        put_i(definition, "max-length", value);
        if (chance(30) && !policy->operator_policy) {
            put_s(definition, "overflow", "reject-publish");
            refuses = true;
        }
    } else if (key == 2) {
        put_i(definition, "max-length-bytes", 700 + pick(4000));
    } else if (key == 3) {
        put_i(definition, "message-ttl", 1 + pick(3000));
    } else if (!policy->operator_policy) {
        put_s(definition, "dead-letter-exchange", "");
        put_s(definition, "dead-letter-routing-key", "sink");
        letters = true;
        drops = false;
    } else {
        put_i(definition, "max-length", 5);
    }
    (void)careful;
    for (unsigned q = 1; q < sim.world.queue_count; q++) {
        struct sim_queue *queue = &sim.world.queues[q];
        queue->may_drop |= drops;
        queue->may_refuse |= refuses;
        if (letters) {
            queue->next |= MASK(0);
            queue->letters_perhaps |= !queue->dead_letters;
        }
        /* With arguments there is a key: it is the policy's that does not count. */
        if (queue->dead_letters && letters)
            queue->next |= MASK(0);
    }
    snprintf(policy->shown, sizeof policy->shown, "%s%s %s key %u priority %d",
             policy->operator_policy ? "operator " : "", policy->name, policy->pattern, key,
             policy->priority);
}

void policy_toggle(unsigned p)
{
    struct sim_policy *policy = &sim.world.policies[p];
    struct command command = {.type = policy->set ? COMMAND_POLICY_DELETE : COMMAND_POLICY_PUT,
                              .channel = 1};
    command.u.policy.operator_policy = policy->operator_policy;
    command.u.policy.name = bytes_of_text(policy->name);
    command.u.policy.pattern = bytes_of_text(policy->pattern);
    command.u.policy.definition = text_bytes(&policy->definition);
    command.u.policy.priority = policy->priority;
    command.u.policy.target = policy->target;
    policy->set = !policy->set;
    sim_trail("%s policy %s", policy->set ? "set" : "clear", policy->shown);
    harness_do(&sim.h, 'A', &command);
}

/* ---- Exchanges. */

static queue_mask some_queues(void)
{
    return (queue_mask)(pick(1u << sim.world.queue_count) & ~1u);
}

static void make_exchanges(void)
{
    static const struct sim_exchange all[X_COUNT] = {
        [X_DEFAULT] = {.name = "", .type = "direct", .used = true},
        [X_DIRECT] = {.name = "xd", .type = "direct"},
        [X_FANOUT] = {.name = "xf", .type = "fanout", .routing = ROUTE_ALL},
        [X_TOPIC] = {.name = "xt", .type = "topic"},
        [X_HASH] = {.name = "xh", .type = "x-consistent-hash", .routing = ROUTE_ONE},
        [X_RANDOM] = {.name = "xr", .type = "x-random", .routing = ROUTE_ONE},
        [X_MODULUS] = {.name = "xm", .type = "x-modulus-hash", .routing = ROUTE_ONE},
        [X_DELAYED] = {.name = "xl", .type = "x-delayed-message", .delays = true},
        [X_ALTERNATE] = {.name = "xa", .type = "direct"},
        [X_CHAIN] = {.name = "xc", .type = "direct"},
    };
    memcpy(sim.world.exchanges, all, sizeof all);
    for (unsigned x = 1; x < X_COUNT; x++) {
        struct sim_exchange *exchange = &sim.world.exchanges[x];
        exchange->used = chance(60);
        for (unsigned k = 0; k < (exchange->routing ? 1 : KEYS); k++)
            exchange->keys[k] = some_queues();
        if (exchange->routing == ROUTE_ONE && !exchange->keys[0])
            exchange->used = false;
    }
    struct sim_exchange *topic = &sim.world.exchanges[X_TOPIC];
    memset(topic->keys, 0, sizeof topic->keys);
    for (unsigned q = 1; q < sim.world.queue_count; q++)
        for (unsigned k = 0; k < KEYS; k++)
            if (topic_takes[(q + sim.world.seed) % 5] >> k & 1)
                topic->keys[k] |= MASK(q);
    /* Unrouted: to the fanout exchange; the chain passes on what has the key k0. */
    sim.world.exchanges[X_FANOUT].used = true;
}

static void bind_keys(unsigned x, unsigned q)
{
    const struct sim_exchange *exchange = &sim.world.exchanges[x];
    const char *name = sim.world.queues[q].name;
    char key[8];
    if (x == X_TOPIC) {
        do_bind(&sim.h, "A1", exchange->name, name, topic_patterns[(q + sim.world.seed) % 5]);
        return;
    }
    for (unsigned k = 0; k < (exchange->routing ? 1 : KEYS); k++)
        if (exchange->keys[k] & MASK(q)) {
            snprintf(key, sizeof key, exchange->routing ? "1" : "k%u", k);
            do_bind(&sim.h, "A1", exchange->name, name, key);
        }
}

static void declare_exchange(const char *name, const char *type, const struct text *arguments)
{
    struct command command = {.type = COMMAND_EXCHANGE_DECLARE, .channel = 1};
    command.u.exchange_declare.name = bytes_of_text(name);
    command.u.exchange_declare.type = bytes_of_text(type);
    command.u.exchange_declare.durable = true;
    command.u.exchange_declare.arguments = text_bytes(arguments);
    harness_do(&sim.h, 'A', &command);
}

static void declare_exchanges(void)
{
    declare_exchange("xdead", "fanout", &(struct text){0});
    for (unsigned x = 1; x < X_COUNT; x++) {
        struct text arguments = {0};
        if (x == X_DELAYED)
            put_s(&arguments, "x-delayed-type", "direct");
        if (x == X_ALTERNATE)
            put_s(&arguments, "alternate-exchange", "xf");
        if (sim.world.exchanges[x].used)
            declare_exchange(sim.world.exchanges[x].name, sim.world.exchanges[x].type, &arguments);
        text_free(&arguments);
    }
    if (!sim.world.exchanges[X_CHAIN].used)
        return;
    struct command command = {.type = COMMAND_EXCHANGE_BIND, .channel = 1};
    command.u.bind.source = bytes_of_text("xc");
    command.u.bind.destination = bytes_of_text("xf");
    command.u.bind.routing_key = bytes_of_text("k0");
    harness_do(&sim.h, 'A', &command);
}

void world_declare(void)
{
    declare_exchanges();
    for (unsigned q = 0; q < sim.world.queue_count; q++) {
        struct sim_queue *queue = &sim.world.queues[q];
        if (queue->exists)
            continue;
        queue->exists = true;
        do_declare_args(&sim.h, "A1", queue->name, queue->flags, &queue->arguments);
        for (unsigned x = 1; x < X_COUNT; x++)
            if (q && sim.world.exchanges[x].used)
                bind_keys(x, q);
        if (q == 0)
            do_bind(&sim.h, "A1", "xdead", queue->name, "");
    }
}

void world_queue_gone(unsigned q)
{
    struct sim_queue *queue = &sim.world.queues[q];
    queue->exists = false;
    queue->consumers = 0;
    for (unsigned p = 0; p < PEERS; p++)
        for (unsigned c = 1; c <= CHANNELS; c++)
            sim.channels[p][c].consuming[q] = false;
    queue->active_peer = -1;
    memset(queue->last_order, 0, sizeof queue->last_order);
    ledger_queue_emptied(q, true);
}

void world_look(void)
{
    struct queue_info info;
    for (unsigned q = 0; q < sim.world.queue_count; q++) {
        struct sim_queue *queue = &sim.world.queues[q];
        bool there = vhost_find_queue(sim.h.vhost, bytes_of_text(queue->name), &info);
        if (!there && queue->exists && !queue->fleeting)
            sim_fail("queue %s is gone", queue->name);
        if (!there && queue->exists)
            world_queue_gone(q);
    }
}

void world_clear(void)
{
    for (unsigned p = 0; p < sim.world.policy_count; p++)
        if (sim.world.policies[p].set)
            policy_toggle(p);
    for (unsigned q = 0; q < sim.world.queue_count; q++)
        if (sim.world.queues[q].exists)
            do_delete(&sim.h, "A1", sim.world.queues[q].name, "");
    for (unsigned x = 0; x < X_COUNT; x++) {
        struct command command = {.type = COMMAND_EXCHANGE_DELETE, .channel = 1};
        command.u.exchange_delete.name = bytes_of_text(x ? sim.world.exchanges[x].name : "xdead");
        harness_do(&sim.h, 'A', &command);
    }
}

/* ---- What follows from it. */

static void conclude(void)
{
    for (unsigned q = 0; q < sim.world.queue_count; q++) {
        struct sim_queue *queue = &sim.world.queues[q];
        queue->reach = queue->reach_drop = MASK(q);
        queue->may_drop |= q && sim.world.message_ttl;
        /* Refused with a dead letter: it has not come in, and is not lost. */
        bool letters_pass = queue->dead_letters;
        for (unsigned n = 0; n < q; n++)
            if (queue->next & MASK(n)) {
                const struct sim_queue *next = &sim.world.queues[n];
                queue->reach |= next->reach;
                if (queue->may_drop || queue->may_refuse)
                    queue->reach_drop |= next->reach_drop;
                letters_pass &= next->lossless && (queue->at_least_once || !next->may_refuse);
            }
        queue->lossless = !queue->fleeting && (!queue->may_drop || letters_pass);
    }
}

static void show(void)
{
    struct text *out = &sim.world.shown;
    text_printf(out, "world of seed %llu: %u queues, message ttl %d, crashes %u\n",
                (unsigned long long)sim.world.seed, sim.world.queue_count, sim.world.message_ttl,
                sim.world.crashes);
    for (unsigned q = 0; q < sim.world.queue_count; q++) {
        const struct sim_queue *queue = &sim.world.queues[q];
        struct field field = {.type = FIELD_TABLE, .value.bytes = text_bytes(&queue->arguments)};
        struct reader at = reader_of(field.value.bytes);
        struct bytes key;
        text_printf(out, "  %s '%s'%s%s next %x reach %x:", queue->name, queue->flags,
                    queue->lossless ? " lossless" : "", queue->may_refuse ? " refuses" : "",
                    queue->next, queue->reach_drop);
        while (table_next(&at, &key, &field)) {
            text_printf(out, " %.*s=", BYTES_PRINT(key));
            if (field.type == FIELD_STRING)
                text_printf(out, "'%.*s'", BYTES_PRINT(field.value.bytes));
            else
                text_printf(out, "%lld", (long long)field.value.integer);
        }
        text_printf(out, "\n");
    }
    for (unsigned x = 1; x < X_COUNT; x++)
        if (sim.world.exchanges[x].used)
            text_printf(out, "  exchange %s %s to %x %x %x %x\n", sim.world.exchanges[x].name,
                        sim.world.exchanges[x].type, sim.world.exchanges[x].keys[0],
                        sim.world.exchanges[x].keys[1], sim.world.exchanges[x].keys[2],
                        sim.world.exchanges[x].keys[3]);
    for (unsigned p = 0; p < sim.world.policy_count; p++)
        text_printf(out, "  policy %s\n", sim.world.policies[p].shown);
}

void world_make(uint64_t seed)
{
    struct sim_world *world = &sim.world;
    *world = (struct sim_world){.seed = seed, .queue_count = 3 + pick(QUEUES_MAX - 2)};
    bool careful = chance(75);
    world->message_ttl = chance(40);
    world->tracing = chance(10);
    world->crashes = chance(60) ? pick(12) : 0;
    for (unsigned q = 0; q < world->queue_count; q++)
        make_queue(q, careful);
    make_exchanges();
    world->policy_count = chance(50) ? pick(POLICIES_MAX + 1) : 0;
    for (unsigned p = 0; p < world->policy_count; p++)
        make_policy(p, careful);
    conclude();
    show();
}

void world_free(void)
{
    for (unsigned q = 0; q < QUEUES_MAX; q++)
        text_free(&sim.world.queues[q].arguments);
    for (unsigned p = 0; p < POLICIES_MAX; p++)
        text_free(&sim.world.policies[p].definition);
    text_free(&sim.world.shown);
}
