/* Part of vhost (leveret/broker/vhost.h): recovery, which makes exchanges, queues, bindings and
 * chunks from what the journal holds.
 *
 * Normal course: the journal reports definitions first. Exchanges and queues are made at once;
 * bindings are kept for the end, because their source and destination must exist. Then it reports
 * lanes, and the chunks of each lane, whose bit maps alone are read. What can go wrong: a
 * definition cannot be read or is not valid: CORRUPT, with a sentence that says more. A lane whose
 * queue is gone is dropped. */
#include "leveret/broker/vhost.h"

#include <stdio.h>
#include <stdlib.h>

#include "broker/command/policy_sweep.h"
#include "broker/store/definition.h"
#include "broker/vhost/announce.h"
#include "broker/vhost/recover_dedup.h"
#include "broker/vhost/sample.h"
#include "broker/vhost/turn.h"
#include "broker/vhost_state.h"
#include "leveret/base/mem.h"
#include "leveret/wire/cursor.h"

struct recovered_lane {
    struct recovered_lane *next;
    struct lane *lane; /* NULL: the definition of its queue or exchange is gone */
    struct journal_lane *handle;
    uint64_t delivered_seq;
};

struct recovered_definition {
    struct recovered_definition *next;
    size_t key_len, value_len;
    uint8_t data[];
};

/* Counts of returns of one chunk (store/returns.h). */
struct recovered_returns {
    struct recovered_returns *next;
    uint64_t lane_id, chunk;
    size_t value_len;
    uint8_t data[];
};

struct recovery {
    struct vhost *vhost;
    struct map
        lanes; /* from &lane->id to struct lane *; of a queue with priorities its first lane */
    struct queue **priority_queues;
    size_t priority_queue_count;
    bool sorted; /* true: priority_queues is sorted by priorities->first_id */
    struct recovered_returns *returns;
    struct recovered_lane *lane_list;
    struct recovered_definition *bindings, **bindings_end;
    struct recovered_definition *delays; /* kept until all exchanges have been made */
    enum status status;
    char *error;
};

/* Recovery fails with CORRUPT. what: the part of the sentence that follows "a definition that".
 * Only the first such sentence is kept. */
static void corrupt(struct recovery *recovery, const char *what, struct bytes key)
{
    if (recovery->status)
        return;
    recovery->status = STATUS_CORRUPT;
    if (asprintf(&recovery->error,
                 "the journal of vhost '%.*s' holds a definition that %s (key '%c' "
                 "and %zu bytes)",
                 BYTES_PRINT(recovery->vhost->options.name), what, key.len ? key.at[0] : '?',
                 key.len) < 0)
        recovery->error = NULL;
}

static void recover_exchange(struct recovery *recovery, struct bytes key, struct bytes value)
{
    struct vhost *vhost = recovery->vhost;
    struct exchange_declaration declaration;
    if (definition_read_exchange(key, value, &declaration))
        corrupt(recovery, "cannot be read", key);
    else if (topology_restore(vhost->topology, &declaration, NULL, &vhost->store.call.refusal))
        corrupt(recovery, vhost->store.call.refusal.text, key);
}

static void recover_queue(struct recovery *recovery, struct bytes key, struct bytes value)
{
    struct vhost *vhost = recovery->vhost;
    struct queue_definition definition;
    if (definition_read_queue(key, value, &definition)) {
        corrupt(recovery, "cannot be read", key);
        return;
    }
    struct queue_options options = {
        .name = definition.name,
        /* Older definitions do not say that a queue is classic. */
        .arguments = queue_type_fill(definition.arguments, QUEUE_CLASSIC, &vhost->typed),
        .durable = definition.durable,
        .exclusive = definition.exclusive,
        .auto_delete = definition.auto_delete,
        .paused = definition.paused,
        .lane_id = definition.lane_id,
        .priorities_id = definition.priorities_id,
    };
    struct queue_settings settings;
    if (queue_settings_parse(options.arguments, options.name, vhost->options.name, &settings,
                             &vhost->store.call.refusal)) {
        corrupt(recovery, vhost->store.call.refusal.text, key);
        return;
    }
    if (queue_admitted(&vhost->queues, &options)) { /* counts it; never refuses in a recovery */
        corrupt(recovery, vhost->store.call.refusal.text, key);
        return;
    }
    struct queue *queue = queue_new(&vhost->queues, &options);
    map_put(&recovery->lanes, bytes_of(&queue->lane.id, sizeof queue->lane.id), &queue->lane);
    if (queue->priorities) {
        recovery->priority_queues =
            mem_need_array(recovery->priority_queues, recovery->priority_queue_count + 1,
                           sizeof *recovery->priority_queues);
        recovery->priority_queues[recovery->priority_queue_count++] = queue;
        recovery->sorted = false;
    }
}

static int by_first_id(const void *a, const void *b)
{
    uint64_t x = (*(struct queue *const *)a)->priorities->first_id;
    uint64_t y = (*(struct queue *const *)b)->priorities->first_id;
    return x < y ? -1 : x > y;
}

/* The lane with this id, which is made now when it is one of a queue with priorities; NULL when its
 * queue or exchange is gone. */
static struct lane *find_lane(struct recovery *recovery, uint64_t lane_id)
{
    struct lane *lane = map_get(&recovery->lanes, bytes_of(&lane_id, sizeof lane_id));
    if (lane || !recovery->priority_queue_count)
        return lane;
    if (!recovery->sorted)
        qsort(recovery->priority_queues, recovery->priority_queue_count,
              sizeof *recovery->priority_queues, by_first_id);
    recovery->sorted = true;
    /* Look for the last queue whose first id is not above lane_id. */
    size_t low = 0, high = recovery->priority_queue_count;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (recovery->priority_queues[middle]->priorities->first_id <= lane_id)
            low = middle;
        else
            high = middle;
    }
    struct queue *queue = recovery->priority_queues[low];
    uint64_t first_id = queue->priorities->first_id;
    if (lane_id <= first_id || lane_id - first_id > queue->priorities->max)
        return NULL;
    return queue_lane(queue, (unsigned)(lane_id - first_id));
}

/* Keeps counts of returns for finish_returns: their chunk is reported later. */
static void keep_returns(struct recovery *recovery, struct bytes key, struct bytes value)
{
    struct recovered_returns *returns = mem_need(sizeof *returns + value.len);
    returns->next = recovery->returns;
    returns->value_len = value.len;
    if (value.len)
        memcpy(returns->data, value.at, value.len);
    recovery->returns = returns;
    if (!returns_read_key(key, &returns->lane_id, &returns->chunk))
        corrupt(recovery, "cannot be read", key);
}

/* Gives each chunk its counts of returns. */
static void finish_returns(struct recovery *recovery)
{
    struct recovered_returns *next;
    for (struct recovered_returns *at = recovery->returns; at; at = next) {
        next = at->next;
        struct lane *lane = recovery->status ? NULL : find_lane(recovery, at->lane_id);
        struct chunk *chunk = lane ? lane_chunk(lane, at->chunk) : NULL;
        if (!recovery->status && returns_restore(&recovery->vhost->store, at->lane_id, at->chunk,
                                                 chunk, bytes_of(at->data, at->value_len)))
            corrupt(recovery, "cannot be read", BYTES_LITERAL("n"));
        free(at);
    }
}

static enum status recover_policy(struct vhost *vhost, struct bytes key, struct bytes value)
{
    struct policy_definition definition;
    struct policy *policy;
    enum status status = definition_read_policy(key, value, &definition);
    if (status != STATUS_OK)
        return status;
    const struct policy_parts parts = {
        .name = definition.name,
        .pattern = definition.pattern,
        .definition = definition.definition,
        .priority = definition.priority,
        .target = definition.target,
    };
    status = policy_new(&parts, &policy, NULL);
    if (status == STATUS_OK)
        policies_put(&vhost->policies, definition.operator_policy ? POLICY_OPERATORS : POLICY_USERS,
                     policy);
    return status;
}

static struct recovered_definition *recovered_new(struct bytes key, struct bytes value)
{
    struct recovered_definition *kept = mem_need(sizeof *kept + key.len + value.len);
    kept->key_len = key.len;
    kept->value_len = value.len;
    memcpy(kept->data, key.at, key.len);
    if (value.len)
        memcpy(kept->data + key.len, value.at, value.len);
    return kept;
}

static void keep_binding(struct recovery *recovery, struct bytes key, struct bytes value)
{
    struct recovered_definition *binding = recovered_new(key, value);
    *recovery->bindings_end = binding;
    recovery->bindings_end = &binding->next;
}

static void keep_delay(struct recovery *recovery, struct bytes key, struct bytes value)
{
    struct recovered_definition *delay = recovered_new(key, value);
    delay->next = recovery->delays;
    recovery->delays = delay;
}

/* All definitions have been reported: makes the lanes of messages that wait in exchanges. */
static void recover_delays(struct recovery *recovery)
{
    struct recovered_definition *at;
    while ((at = recovery->delays)) {
        recovery->delays = at->next;
        struct bytes key = bytes_of(at->data, at->key_len);
        struct delay_definition delay;
        struct exchange *exchange = NULL;
        struct lane *lane = NULL;
        if (!definition_read_delay(key, bytes_of(at->data + at->key_len, at->value_len), &delay))
            exchange = topology_exchange(recovery->vhost->topology, delay.exchange);
        if (exchange)
            lane = delay_restore(&recovery->vhost->delays, exchange, &delay);
        if (!lane)
            corrupt(recovery, "cannot be read", key);
        else
            map_put(&recovery->lanes, bytes_of(&lane->id, sizeof lane->id), lane);
        free(at);
    }
}

/* ---- What the journal calls. */

static void definition(void *context, struct bytes key, struct bytes value)
{
    struct recovery *recovery = context;
    switch (key.len ? key.at[0] : 0) {
    case DEFINITION_EXCHANGE:
        recover_exchange(recovery, key, value);
        return;
    case DEFINITION_QUEUE:
        recover_queue(recovery, key, value);
        return;
    case DEFINITION_BINDING:
        keep_binding(recovery, key, value);
        return;
    case DEFINITION_RETURNS:
        keep_returns(recovery, key, value);
        return;
    case DEFINITION_POLICY:
    case DEFINITION_OPERATOR_POLICY:
        if (recover_policy(recovery->vhost, key, value))
            corrupt(recovery, "cannot be read", key);
        return;
    case DEFINITION_DELAY:
        keep_delay(recovery, key, value);
        return;
    case DEFINITION_DEDUP:
        if (dedup_restore_entry(&recovery->vhost->dedups, key, value))
            corrupt(recovery, "cannot be read", key);
        return;
    case DEFINITION_DEDUP_OWNER:
        if (dedup_restore_owner(&recovery->vhost->dedups, key, value))
            corrupt(recovery, "cannot be read", key);
        return;
    case STORE_LANES_KEY: {
        struct reader reader = reader_of(value);
        recovery->vhost->store.lane_next = recovery->vhost->store.lane_reserved = read_u64(&reader);
        if (!reader.failed)
            return;
    }
    }
    corrupt(recovery, "is of no known kind", key);
}

static void *lane(void *context, uint64_t lane_id, struct journal_lane *handle,
                  uint64_t delivered_seq)
{
    struct recovery *recovery = context;
    recover_delays(recovery);
    struct recovered_lane *found = mem_need(sizeof *found);
    found->next = recovery->lane_list;
    recovery->lane_list = found;
    found->handle = handle;
    found->delivered_seq = delivered_seq;
    found->lane = find_lane(recovery, lane_id);
    if (found->lane)
        lane_restore(found->lane, handle);
    return found;
}

static void chunk(void *lane_context, uint64_t number, const uint64_t live[JOURNAL_CHUNK_WORDS],
                  uint64_t body_bytes, bool any_expires)
{
    struct recovered_lane *found = lane_context;
    if (!found->lane)
        return;
    lane_restore_chunk(found->lane, number, live, body_bytes, any_expires, found->delivered_seq);
    if (found->lane->queue)
        found->lane->queue->expiring |= any_expires;
}

/* ---- What is done when the journal has reported all. */

/* Finishes lanes and their queues. A queue's head is known only when all lanes have been reported.
 */
static void finish_lanes(struct recovery *recovery)
{
    struct vhost *vhost = recovery->vhost;
    struct recovered_lane *next;
    for (struct recovered_lane *at = recovery->lane_list; at; at = at->next) {
        if (!at->lane)
            continue;
        lane_restore_upto(at->lane, at->delivered_seq / JOURNAL_CHUNK_SLOTS);
        if (at->lane->queue)
            queue_restored(at->lane);
    }
    for (struct recovered_lane *at = recovery->lane_list; at; at = next) {
        struct queue *queue = at->lane ? at->lane->queue : NULL;
        next = at->next;
        if (!at->lane && !recovery->status)
            journal_lane_drop(vhost->store.journal, &at->handle);
        if (queue && queue->expiring && !recovery->status)
            queue_expire(queue, 0);
        if (queue && queue_limited(queue)) /* unsettled deliveries have become ready again */
            length_enforce_soon(queue);
        free(at);
    }
}

static void finish_bindings(struct recovery *recovery)
{
    struct vhost *vhost = recovery->vhost;
    struct recovered_definition *next;
    for (struct recovered_definition *at = recovery->bindings; at; at = next) {
        next = at->next;
        struct bytes key = bytes_of(at->data, at->key_len);
        struct binding_declaration declaration;
        if (recovery->status)
            ;
        else if (definition_read_binding(key, bytes_of(at->data + at->key_len, at->value_len),
                                         &declaration))
            corrupt(recovery, "cannot be read", key);
        else if (topology_bind(vhost->topology, &declaration, &vhost->store.call.refusal))
            corrupt(recovery, vhost->store.call.refusal.text, key);
        free(at);
    }
}

/* Dead-letters the messages of a chunk that have come back more often than the queue allows. */
static void end_returned(struct lane *lane, uint64_t number)
{
    static const struct tally once = {1, 1}, ever = {UINT32_MAX, UINT32_MAX};
    struct chunk *chunk = lane_chunk(lane, number);
    if (!chunk || !queue_returned_too_often(lane->queue, chunk->returns ? ever : once))
        return; /* no message of the chunk can have come back so often */
    for (unsigned slot = 0;
         chunk && (slot = bit_next(chunk->ready_bits, slot)) < JOURNAL_CHUNK_SLOTS; slot++) {
        struct place place = {chunk, slot};
        if (queue_returned_too_often(lane->queue, returns_of(place)))
            dead_letter(lane, place, DEATH_DELIVERY_LIMIT);
        chunk = lane_chunk(lane, number); /* NULL after its last message */
    }
}

/* The same for all chunks of all queues that count returns. */
static void end_all_returned(struct vhost *vhost)
{
    struct queue *queue;
    uint64_t after = 0;
    while ((queue = roster_next(&vhost->queues.roster, &after))) {
        if (!queue_counts(queue))
            continue;
        for (struct lane *lane = &queue->lane; lane; lane = queue_lane_above(queue, lane))
            for (uint64_t number = lane->base, end = number + lane->ring_count; number < end;
                 number++)
                end_returned(lane, number);
    }
}

enum status vhost_recover(struct vhost *vhost, struct moment now, char **error)
{
    struct recovery recovery = {.vhost = vhost};
    struct journal_recovery calls = {
        .context = &recovery, .definition = definition, .lane = lane, .chunk = chunk};
    recovery.bindings_end = &recovery.bindings;
    vhost_enter(vhost, now);
    store_set_recovering(&vhost->store, true);
    *error = NULL;
    enum status status = journal_recover(vhost->store.journal, &calls, error);
    vhost->store.committed = journal_committed(vhost->store.journal);
    if (status)
        recovery.status = status;
    finish_bindings(&recovery);
    policy_sweep_all(vhost);
    recover_delays(&recovery);
    recover_dedups(vhost, recovery.status == STATUS_OK);
    finish_lanes(&recovery);
    finish_returns(&recovery);
    if (!recovery.status)
        end_all_returned(vhost);
    if (!recovery.status)
        delays_restored(&vhost->delays);
    map_free(&recovery.lanes);
    free(recovery.priority_queues);
    store_set_recovering(&vhost->store, false);
    sample_begin(vhost);
    announce_recovered(vhost);
    if (!recovery.status)
        length_tick(&vhost->queues); /* a portion; vhost_tick does the rest */
    if (!status) {
        *error = recovery.error;
        status = recovery.status;
    } else {
        free(recovery.error);
    }
    return status;
}
