/* Part of vhost (leveret/broker/vhost.h): listings, which are slices of all queues, exchanges,
 * bindings, consumers and channels in the order in which they were made, and sums. */
#include "leveret/broker/vhost.h"

#include "broker/command/timeout_check.h"
#include "broker/command/tx.h"
#include "broker/delay/delay.h"
#include "broker/vhost/sample.h"
#include "broker/vhost_state.h"
#include "leveret/broker/sample.h"

static void add_lane(const struct lane *lane, struct queue_info *out)
{
    out->stalled |= lane->stalled;
    for (uint32_t i = 0; i < lane->ring_count; i++) {
        const struct chunk *chunk = lane_chunk(lane, lane->base + i);
        if (!chunk)
            continue;
        out->memory_bytes += sizeof *chunk + chunk->room * sizeof *chunk->slots;
        if (chunk->returns)
            out->memory_bytes += sizeof *chunk->returns;
        for (unsigned word = 0; word < JOURNAL_CHUNK_WORDS; word++)
            out->messages_ready_returned += (unsigned)__builtin_popcountll(
                chunk->ready_bits[word] & chunk->redelivered_bits[word]);
        if (!chunk_in_memory(chunk))
            continue;
        out->messages_ram += chunk->live;
        out->ram_bytes += chunk->body_bytes;
        out->messages_ready_ram += chunk->ready;
    }
}

static void fill_priorities(struct queue *queue, struct queue_info *out)
{
    struct priorities *priorities = queue->priorities;
    if (!priorities || queue->settings.type != QUEUE_QUORUM)
        return;
    memset(priorities->told, 0, sizeof priorities->told);
    for (struct lane *lane = &queue->lane; lane; lane = queue_lane_above(queue, lane))
        priorities->told[lane->number ? lane->number - 1u : QUORUM_PRIORITY] += lane->ready;
    out->ready_by_priority = bytes_of(priorities->told, sizeof priorities->told);
}

static void fill_policies(const struct effective_policy *policy, struct queue_info *out)
{
    if (!policy)
        return;
    out->policy = policy->names[POLICY_USERS];
    out->operator_policy = policy->names[POLICY_OPERATORS];
    out->effective_definition = policy->definition;
}

static uint64_t limit_told(uint64_t setting)
{
    if (setting == SETTING_NONE)
        return QUEUE_DELIVERY_UNCOUNTED;
    return setting == SETTING_UNLIMITED ? QUEUE_DELIVERY_UNLIMITED : setting;
}

/* How much of the time a consumer could take, as of the last call into the vhost. */
static void fill_numbers(const struct queue *queue, struct queue_info *out)
{
    struct queue_numbers numbers;
    sample_queue_numbers(queue, queue->set->store->call.now.wall_ms, &numbers);
    out->disk_reads = numbers.disk_reads;
    out->disk_writes = numbers.disk_writes;
    out->able_ms = numbers.able_ms;
    out->able = queue->takers.able_wall_ms != 0;
}

static void fill_queue(struct queue *queue, struct queue_info *out)
{
    *out = (struct queue_info){
        .name = queue->endpoint.name,
        .arguments = queue->arguments,
        .durable = queue->durable,
        .auto_delete = queue->auto_delete,
        .exclusive = queue->exclusive,
        .messages_ready = queue->stock.ready,
        .messages_unacknowledged = queue->stock.unsettled,
        .ready_bytes = queue->stock.ready_bytes,
        .unacknowledged_bytes = queue->stock.unsettled_bytes,
        .messages_persistent = stock_persistent(&queue->stock),
        .persistent_bytes =
            queue->stored ? queue->stock.ready_bytes + queue->stock.unsettled_bytes : 0,
        .sample_number = queue->number,
        .born_wall_ms = queue->sampled.born_wall_ms,
        .born_ready = queue->born_ready,
        .sampled_before = queue->sampled.before,
        .messages_dlx = queue->dying ? queue->dying->count : 0,
        .dead_letters_dropped = queue->dying ? queue->dying->dropped : 0,
        .consumers = queue->takers.count,
        .idle_since_wall_ms = queue->times.idle_since_wall_ms,
        .rates = queue->rates,
        .failed = queue->failed,
        .paused = queue->paused,
        .delivery_limit = limit_told(queue->settings.delivery_limit),
        .deduplicated = queue->dedup ? queue->dedup->refused : 0,
    };
    if (queue->takers.active)
        out->single_active_consumer = queue->takers.active->tag;
    if (queue->takers.exclusive)
        out->exclusive_consumer = TAILQ_FIRST(&queue->takers.consumers)->tag;
    fill_policies(queue->policy, out);
    fill_priorities(queue, out);
    fill_numbers(queue, out);
    if (queue->owner)
        out->owner_name = queue->owner->name;
    out->memory_bytes = sizeof *queue + queue->stock.memory_bytes;
    if (queue->priorities)
        out->memory_bytes +=
            sizeof *queue->priorities + queue->priorities->max * sizeof *queue->priorities->lanes;
    for (struct lane *lane = &queue->lane; lane; lane = queue_lane_above(queue, lane)) {
        if (lane != &queue->lane)
            out->memory_bytes += sizeof *lane;
        if (queue->stored)
            out->persistent_bytes -= lane->transient_bytes;
        add_lane(lane, out);
    }
}

size_t vhost_list_queues(struct vhost *vhost, uint64_t *after, struct queue_info *out, size_t max)
{
    size_t at = roster_begin(&vhost->queues.roster, *after), count = 0;
    struct queue *queue;
    while (count < max && (queue = roster_walk(&vhost->queues.roster, &at, after)))
        fill_queue(queue, &out[count++]);
    return count;
}

bool vhost_find_queue(struct vhost *vhost, struct bytes name, struct queue_info *out)
{
    struct queue *queue = queues_find(&vhost->queues, name);
    if (queue)
        fill_queue(queue, out);
    return queue != NULL;
}

static void fill_exchange(const struct exchange *exchange, struct exchange_info *out)
{
    *out = (struct exchange_info){
        .name = exchange->endpoint.name,
        .type = bytes_of_text(exchange->type->name),
        .arguments = exchange->arguments,
        .durable = exchange->durable,
        .auto_delete = exchange->auto_delete,
        .internal = exchange->internal,
        .publish_in = exchange->publish_in,
        .publish_out = exchange->publish_out,
        .unroutable_returned = exchange->unroutable_returned,
        .unroutable_dropped = exchange->unroutable_dropped,
        .bindings = exchange->bindings_from_count,
        .sample_number = exchange->number,
        .born_wall_ms = exchange->sampled.born_wall_ms,
        .sampled_before = exchange->sampled.before,
        .deduplicated = exchange->dedup ? exchange->dedup->refused : 0,
        .delays = exchange->inner != NULL,
        .messages_delayed = exchange->delay ? delay_messages(exchange->delay) : 0,
    };
    if (exchange->policy)
        out->policy = exchange->policy->names[POLICY_USERS];
}

/* Exchanges or bindings that are taken from the topology at a time; a longer slice takes several.
 */
#define SLICE 64u

size_t vhost_list_exchanges(struct vhost *vhost, uint64_t *after, struct exchange_info *out,
                            size_t max)
{
    const struct exchange *found[SLICE];
    size_t count = 0, n = 1;
    while (count < max && n) {
        size_t wanted = max - count < SLICE ? max - count : SLICE;
        n = topology_list_exchanges(vhost->topology, after, found, wanted);
        for (size_t i = 0; i < n; i++)
            fill_exchange(found[i], &out[count++]);
    }
    return count;
}

bool vhost_find_exchange(struct vhost *vhost, struct bytes name, struct exchange_info *out)
{
    const struct exchange *exchange = topology_exchange(vhost->topology, name);
    if (exchange)
        fill_exchange(exchange, out);
    return exchange != NULL;
}

size_t vhost_list_bindings(struct vhost *vhost, uint64_t *after, struct binding_info *out,
                           size_t max)
{
    const struct binding *found[SLICE];
    size_t count = 0, n = 1;
    while (count < max && n) {
        size_t wanted = max - count < SLICE ? max - count : SLICE;
        n = topology_list_bindings(vhost->topology, after, found, wanted);
        for (size_t i = 0; i < n; i++)
            out[count++] = (struct binding_info){
                .source = found[i]->source->endpoint.name,
                .destination = found[i]->destination->name,
                .routing_key = binding_key(found[i]),
                .arguments = binding_arguments(found[i]),
                .to_exchange = found[i]->destination->kind == ENDPOINT_EXCHANGE,
            };
    }
    return count;
}

size_t vhost_list_consumers(struct vhost *vhost, uint64_t *after, struct consumer_info *out,
                            size_t max)
{
    size_t at = roster_begin(&vhost->channels.consumer_roster, *after), count = 0;
    const struct consumer *consumer;
    while (count < max && (consumer = roster_walk(&vhost->channels.consumer_roster, &at, after)))
        out[count++] = (struct consumer_info){
            .queue = consumer->queue->endpoint.name,
            .tag = consumer->tag,
            .arguments = consumer->arguments,
            .peer_name = consumer->channel->peer->name,
            .user = consumer->channel->peer->user,
            .channel = consumer->channel->id,
            .ack_required = !consumer->no_ack,
            .exclusive = consumer->exclusive,
            .active = consumer_active(consumer),
            .single_active = consumer->queue->takers.active == consumer,
            .prefetch_count = consumer->prefetch,
            .timeout_ms = timeout_check_ms(consumer->queue, consumer),
            .priority = consumer->priority,
        };
    return count;
}

static void fill_channel(const struct channel *channel, struct channel_info *out)
{
    *out = (struct channel_info){
        .peer_name = channel->peer->name,
        .user = channel->peer->user,
        .number = channel->id,
        .confirm = channel->confirm,
        .transactional = channel->tx != NULL,
        .prefetch_count = channel->prefetch,
        .global_prefetch_count = channel->prefetch_all,
        .consumers = channel->consumer_count,
        .messages_unacknowledged = channel->unsettled.live,
        .messages_unconfirmed = channel->confirm ? promise_unconfirmed(channel) : 0,
        .rates = channel->rates,
        .sample_number = channel->number,
        .born_wall_ms = channel->sampled.born_wall_ms,
        .sampled_before = channel->sampled.before,
    };
    if (channel->changed_wall_ms < channel->set->sampled_wall_ms)
        out->idle_since_wall_ms = channel->changed_wall_ms;
    tx_pending(channel, &out->messages_uncommitted, &out->acks_uncommitted);
}

size_t vhost_list_channels(struct vhost *vhost, uint64_t *after, struct channel_info *out,
                           size_t max)
{
    size_t at = roster_begin(&vhost->channels.roster, *after), count = 0;
    const struct channel *channel;
    while (count < max && (channel = roster_walk(&vhost->channels.roster, &at, after)))
        fill_channel(channel, &out[count++]);
    return count;
}

/* The counters, with those that are not kept but worked out. Messages that are not confirmed yet
 * are looked for on channels with an open promise alone. Another channel has such a message only
 * while it goes to very many queues (publish/spread.h); it is counted after the last of them. */
static void tell_counters(const struct vhost *vhost, struct counters *out)
{
    const struct channel *channel;
    *out = vhost->counters;
    out->routed =
        vhost->channels.rates.publish - vhost->published.not_routed + vhost->published.routed_more;
    out->received_confirm = vhost->channels.rates.confirm + vhost->channels.never_confirmed;
    TAILQ_FOREACH(channel, &vhost->channels.promises_due, promise_link)
    out->received_confirm += promise_unconfirmed(channel);
    TAILQ_FOREACH(channel, &vhost->channels.promises_held, promise_link)
    out->received_confirm += promise_unconfirmed(channel);
    out->sizes[0] = vhost->channels.rates.publish - vhost->published.too_large;
    for (unsigned i = 1; i < COUNTED_SIZES; i++)
        out->sizes[0] -= out->sizes[i];
}

void vhost_totals(const struct vhost *vhost, struct vhost_totals *out)
{
    *out = (struct vhost_totals){
        .queues = roster_count(&vhost->queues.roster),
        .exchanges = topology_exchange_count(vhost->topology),
        .bindings = topology_binding_count(vhost->topology),
        .consumers = roster_count(&vhost->channels.consumer_roster),
        .channels = roster_count(&vhost->channels.roster),
        .peers = vhost->channels.peer_count,
        .messages_ready = vhost->store.ready,
        .messages_unacknowledged = vhost->store.unsettled,
        .disk_reads = vhost->store.disk_reads,
        .disk_writes = vhost->store.disk_writes,
        .born_wall_ms = vhost->born_wall_ms,
        .born_ready = vhost->born_ready,
        .rates = vhost->channels.rates,
    };
    for (unsigned type = 0; type < COUNTED_TYPES; type++)
        counters_add_rates(&out->rates, &vhost->counters.by_type[type]);
    tell_counters(vhost, &out->counters);
}

static void fill_policy(const struct policy *policy, struct policy_info *out)
{
    *out = (struct policy_info){
        .name = policy->name,
        .pattern = policy->pattern_text,
        .definition = policy->definition,
        .priority = policy->priority,
        .target = policy->target,
    };
}

size_t vhost_list_policies(struct vhost *vhost, bool operator_policies, uint64_t *after,
                           struct policy_info *out, size_t max)
{
    const struct policy_list *list =
        &vhost->policies.of[operator_policies ? POLICY_OPERATORS : POLICY_USERS];
    size_t at = 0, count = 0;
    while (at < list->count && list->made[at]->number <= *after)
        at++;
    for (; at < list->count && count < max; at++) {
        *after = list->made[at]->number;
        fill_policy(list->made[at], &out[count++]);
    }
    return count;
}

bool vhost_find_policy(struct vhost *vhost, bool operator_policy, struct bytes name,
                       struct policy_info *out)
{
    const struct policy *policy =
        policies_find(&vhost->policies, operator_policy ? POLICY_OPERATORS : POLICY_USERS, name);
    if (policy)
        fill_policy(policy, out);
    return policy != NULL;
}
