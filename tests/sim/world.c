/* Random worlds. The first queue is the sink: durable, without limits, where dead letters end. The
 * others send their dead letters to queues before them, so that no dead letter goes in a circle. In
 * most worlds each queue that may drop messages has a dead-letter exchange by argument, so that no
 * message may be lost; a lost one is found at the end. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "leveret/wire/table.h"
#include "sim.h"

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
    while (here->world.queues[next].dedups) /* such a queue may refuse a dead letter */
        next--;
    queue->dead_letters = true;
    if (chance(20)) {
        put_s(arguments, "x-dead-letter-exchange", "xdead"); /* to the sink */
        next = 0;
    } else {
        put_s(arguments, "x-dead-letter-exchange", "");
        put_s(arguments, "x-dead-letter-routing-key", here->world.queues[next].name);
    }
    queue->next = MASK(next);
}

/* Dead letters are kept until the exchange exists, which is declared and deleted at times. */
static void late_letters(struct sim_queue *queue)
{
    struct text *arguments = &queue->arguments;
    put_s(arguments, "x-dead-letter-exchange", "xlate"); /* to the sink */
    put_s(arguments, "x-dead-letter-strategy", "at-least-once");
    put_s(arguments, "x-overflow", "reject-publish");
    queue->dead_letters = queue->at_least_once = queue->may_refuse = true;
    queue->next = MASK(0);
}

static void limits(struct sim_queue *queue)
{
    static const char *const overflows[] = {"drop-head", "reject-publish", "reject-publish-dlx"};
    struct text *arguments = &queue->arguments;
    if (chance(70)) {
        queue->length_max = 1 + pick(chance(50) ? 5 : 60);
        put_i(arguments, "x-max-length", (unsigned)queue->length_max);
    }
    if (chance(30)) {
        queue->bytes_max = 700 + pick(chance(50) ? 8000 : 60000);
        if (here->world.heavy) /* a body above the limit would never be taken */
            queue->bytes_max += 1 << 20;
        put_i(arguments, "x-max-length-bytes", (unsigned)queue->bytes_max);
    }
    unsigned overflow = pick(queue->keeps_all ? 2 : 3);
    if (!chance(75)) {
        queue->bounded = !queue->may_drop;
        queue->may_drop = true;
        return;
    }
    put_s(arguments, "x-overflow", overflows[overflow]);
    queue->bounded = !queue->may_drop && overflow < 2;
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

/* Which returns count for the delivery limit of an argument; without the argument a policy may set
 * one. */
static void count_what(struct sim_queue *queue, int64_t limit)
{
    bool all = here->world.all_returns;
    queue->counts = true;
    queue->counting = limit >= 0 && all ? COUNTS_ALL : COUNTS_FAILURES;
    table_put_i64(&queue->arguments, "x-delivery-limit", limit);
}

static void make_queue(unsigned q, bool careful)
{
    struct sim_queue *queue = &here->world.queues[q];
    snprintf(queue->name, sizeof queue->name, q ? "q%u" : "sink", q);
    queue->active_peer = queue->exclusive_peer = NOBODY;
    queue->delivery_limit = UINT_MAX;
    queue->length_max = queue->bytes_max = UINT64_MAX;
    if (q == 0) {
        snprintf(queue->flags, sizeof queue->flags, "d");
        queue->stored = true;
        return;
    }
    kind(queue);
    struct text *arguments = &queue->arguments;
    if (here->world.identifiers && chance(30)) {
        table_put_bool(arguments, "x-message-deduplication", true);
        queue->dedups = true;
    }
    bool late = chance(15);
    if (late)
        late_letters(queue);
    else if (careful || chance(50))
        dead_letters(queue, q);
    queue->counts = queue->keeps_all;
    queue->counting = COUNTS_FAILURES;
    if (!queue->keeps_all && chance(25))
        put_i(arguments, "x-max-priority", queue->priority_max = 1 + pick(8));
    if (chance(20)) {
        table_put_bool(arguments, "x-single-active-consumer", true);
        queue->single = true;
    }
    if (!late && chance(50))
        limits(queue);
    if (chance(30)) {
        queue->ttl_ms = 1 + pick(chance(50) ? 20 : 2000);
        put_i(arguments, "x-message-ttl", (unsigned)queue->ttl_ms);
        queue->may_drop = true;
    }
    if (chance(20)) {
        queue->delivery_limit = pick(5);
        count_what(queue, queue->delivery_limit);
        queue->may_drop = true;
    } else if (chance(5)) {
        count_what(queue, -1);
    } else if (queue->keeps_all && queue->dead_letters) {
        queue->delivery_limit = 20;
        queue->may_drop = true;
    }
    if (chance(10)) {
        here->world.time_outs = true;
        put_i(arguments, "x-consumer-timeout", 1000 + pick(5000));
    }
}

/* ---- Policies. */

static void make_policy(unsigned p, bool careful)
{
    struct sim_policy *policy = &here->world.policies[p];
    struct text *definition = &policy->definition;
    unsigned key = pick(7);
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
    } else if (key == 6) {
        table_put_i64(definition, "delivery-limit", chance(20) ? -1 : (int64_t)pick(5));
    } else if (!policy->operator_policy) {
        put_s(definition, "dead-letter-exchange", "");
        put_s(definition, "dead-letter-routing-key", "sink");
        letters = true;
        drops = false;
    } else {
        put_i(definition, "max-length", 5);
    }
    (void)careful;
    for (unsigned q = 1; q < here->world.queue_count; q++) {
        struct sim_queue *queue = &here->world.queues[q];
        queue->may_drop |= drops;
        queue->may_refuse |= refuses;
        if (key == 6 && queue->counting == COUNTS_FAILURES && here->world.all_returns)
            queue->counting = COUNTS_EITHER;
        if (key == 6 && queue->keeps_all && queue->delivery_limit == 20)
            queue->delivery_limit = UINT_MAX; /* no argument sets one */
        if (letters)                          /* the policy sets the default limit of 20, too */
            queue->may_drop |= queue->keeps_all;
        if (letters) {
            queue->next |= MASK(0);
            queue->letters_perhaps |= !queue->dead_letters;
        }
        /* The queue has a dead-letter exchange as an argument, so the policy's does not count. */
        if (queue->dead_letters && letters)
            queue->next |= MASK(0);
    }
    policy->key = key;
}

/* ---- Declared. */

static void declare_queue(const char *who, const struct sim_queue *queue)
{
    do_declare_args(&here->h, who, queue->name, queue->flags, &queue->arguments);
}

void world_declare(void)
{
    if (!may_act(0))
        return;
    exchanges_declare("A1", false);
    for (unsigned q = 0; q < here->world.queue_count; q++) {
        struct sim_queue *queue = &here->world.queues[q];
        if (queue->exists)
            continue;
        queue->exists = true;
        declare_queue("A1", queue);
        exchanges_bind("A1", q);
    }
}

static void send_policy(char peer, const struct sim_policy *policy, bool set)
{
    struct command command = {.type = set ? COMMAND_POLICY_PUT : COMMAND_POLICY_DELETE,
                              .channel = 1};
    command.u.policy.operator_policy = policy->operator_policy;
    command.u.policy.name = bytes_of_text(policy->name);
    command.u.policy.pattern = bytes_of_text(policy->pattern);
    command.u.policy.definition = text_bytes(&policy->definition);
    command.u.policy.priority = policy->priority;
    command.u.policy.target = policy->target;
    harness_do(&here->h, peer, &command);
}

void policy_toggle(unsigned p)
{
    struct sim_policy *policy = &here->world.policies[p];
    policy->set = !policy->set;
    sim_trail("%s policy %s", policy->set ? "set" : "clear", policy->name);
    send_policy('A', policy, policy->set);
}

void world_import(void)
{
    const char *who = "E1";
    sim_trail("definitions are imported");
    do_open(&here->h, who);
    for (unsigned p = 0; p < here->world.policy_count; p++)
        if (here->world.policies[p].set || chance(50)) {
            here->world.policies[p].set = true;
            send_policy(who[0], &here->world.policies[p], true);
        }
    exchanges_declare(who, true);
    for (unsigned q = 0; q < here->world.queue_count; q++) {
        struct sim_queue *queue = &here->world.queues[q];
        if (queue->exclusive)
            continue;
        queue->exists = true;
        declare_queue(who, queue);
        exchanges_bind(who, q);
    }
    harness_detach(&here->h, who[0]);
    exchanges_look();
    world_look();
}

void world_queue_gone(unsigned q)
{
    struct sim_queue *queue = &here->world.queues[q];
    queue->exists = queue->leaving = false;
    queue->consumers = 0;
    for (unsigned p = 0; p < PEERS; p++)
        for (unsigned c = 1; c <= CHANNELS; c++)
            here->channels[p][c].consuming[q] = false;
    queue->active_peer = queue->exclusive_peer = NOBODY;
    exchanges_queue_gone(q);
    memset(queue->last_order, 0, sizeof queue->last_order);
    ledger_queue_emptied(q, true, here->under_way == 0);
}

void world_look(void)
{
    exchanges_look();
    struct queue_info info;
    if (here->h.halted)
        return;
    for (unsigned q = 0; q < here->world.queue_count; q++) {
        struct sim_queue *queue = &here->world.queues[q];
        bool there = vhost_find_queue(here->h.vhost, bytes_of_text(queue->name), &info);
        if (!there && queue->exists && !queue->fleeting)
            sim_fail("queue %s of %s is gone", queue->name, here->name);
        if (!there && queue->exists)
            world_queue_gone(q);
    }
}

void world_clear(void)
{
    for (unsigned p = 0; p < here->world.policy_count; p++)
        if (here->world.policies[p].set)
            policy_toggle(p);
    for (unsigned q = 0; q < here->world.queue_count; q++) {
        here->world.queues[q].leaving = true;
        if (here->world.queues[q].exists)
            do_delete(&here->h, "A1", here->world.queues[q].name, "");
    }
    exchanges_clear();
}

/* ---- What follows from the arguments. */

static void conclude(void)
{
    for (unsigned q = 0; q < here->world.queue_count; q++) {
        struct sim_queue *queue = &here->world.queues[q];
        queue->reach = queue->reach_drop = MASK(q);
        queue->may_drop |= q && here->world.message_ttl;
        queue->bounded &= !here->world.policy_count && !here->world.message_ttl && !queue->ttl_ms &&
                          queue->delivery_limit == UINT_MAX;
        /* A message that the queue refuses and dead-letters has not come in, and is not lost. */
        bool letters_pass = queue->dead_letters;
        for (unsigned n = 0; n < q; n++)
            if (queue->next & MASK(n)) {
                const struct sim_queue *next = &here->world.queues[n];
                queue->reach |= next->reach;
                if (queue->may_drop || queue->may_refuse)
                    queue->reach_drop |= next->reach_drop;
                letters_pass &= next->lossless && (queue->at_least_once || !next->may_refuse);
            }
        queue->lossless = !queue->fleeting && (!queue->may_drop || letters_pass ||
                                               (queue->bounded && !queue->dead_letters));
    }
}

static void show_policy(struct text *out, const struct sim_policy *policy)
{
    text_printf(out, "  policy %s%s %s key %u priority %d\n",
                policy->operator_policy ? "operator " : "", policy->name, policy->pattern,
                policy->key, policy->priority);
}

static void show(void)
{
    struct text *out = &here->world.shown;
    text_printf(out, "world %s of seed %llu: %u queues, message ttl %d, crashes %u\n", here->name,
                (unsigned long long)here->world.seed, here->world.queue_count,
                here->world.message_ttl, here->world.crashes);
    for (unsigned q = 0; q < here->world.queue_count; q++) {
        const struct sim_queue *queue = &here->world.queues[q];
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
    exchanges_show(out);
    for (unsigned p = 0; p < here->world.policy_count; p++)
        show_policy(out, &here->world.policies[p]);
}

void world_make(uint64_t seed)
{
    struct sim_world *world = &here->world;
    *world = (struct sim_world){.seed = seed, .queue_count = 3 + pick(QUEUES_MAX - 2)};
    bool careful = chance(75);
    world->message_ttl = chance(40);
    world->tracing = chance(10);
    world->crashes = chance(60) ? pick(12) : 0;
    world->identifiers = chance(30);
    world->priorities = chance(70);
    world->all_returns = chance(70);
    world->heavy = chance(10);
    if (world->heavy) /* few queues, so that each has many messages */
        world->queue_count = 3;
    world->replies = chance(40);
    world->unbinds = chance(30);
    world->disk_fails = chance(30);
    for (unsigned q = 0; q < world->queue_count; q++)
        make_queue(q, careful);
    exchanges_make();
    world->policy_count = chance(50) ? pick(POLICIES_MAX + 1) : 0;
    for (unsigned p = 0; p < world->policy_count; p++)
        make_policy(p, careful);
    conclude();
    show();
}

void world_free(void)
{
    for (unsigned q = 0; q < QUEUES_MAX; q++)
        text_free(&here->world.queues[q].arguments);
    for (unsigned p = 0; p < POLICIES_MAX; p++)
        text_free(&here->world.policies[p].definition);
    text_free(&here->world.shown);
}
