/* The vhost: from commands to their handlers, and what each call leaves to do. See vhost.h.
 *
 * Normal course: vhost_apply finds the channel, runs the command's handler, then dispatches the
 * queues that the handler gave something to do. What can go wrong: a handler fails the channel;
 * from then on everything for it is dropped until it is closed. */
#include "broker/publish/history.h"
#include "broker/vhost_state.h"
#include "leveret/base/mem.h"
#include "leveret/wire/cursor.h"

/* ---- What the topology changes is journalled here. */

void vhost_put(struct vhost *vhost, const struct text *key, const struct text *value)
{
    journal_put(vhost->options.journal, text_bytes(key), text_bytes(value));
    vhost->journalled = true;
}

void vhost_erase(struct vhost *vhost, const struct text *key)
{
    journal_erase(vhost->options.journal, text_bytes(key));
    vhost->journalled = true;
}

static void exchange_changed(struct vhost *vhost, const struct exchange *exchange, bool added)
{
    if (vhost->recovering)
        return;
    event_exchange(vhost, exchange, added);
    if (!exchange->durable)
        return;
    struct text key = {0}, value = {0};
    definition_of_exchange(exchange, &key, &value);
    if (added)
        vhost_put(vhost, &key, &value);
    else
        vhost_erase(vhost, &key);
    text_free(&key);
    text_free(&value);
}

static void exchange_added(void *context, const struct exchange *exchange)
{
    struct vhost *vhost = context;
    struct exchange *made = topology_exchange(vhost->topology, exchange->endpoint.name);
    made->dedup = dedup_new(vhost, &made->endpoint, made->arguments,
                            made->type == &exchange_type_deduplication);
    if (made->dedup)
        made->dedup->stored = made->durable;
    made->history = history_new(vhost, made);
    policy_join_exchange(vhost, made);
    exchange_changed(context, exchange, true);
}

/* ---- What exchanges and bindings take. */

static uint64_t exchange_size(size_t name_len, size_t arguments_len)
{
    return sizeof(struct exchange) + HOLDING_PLACES + name_len + arguments_len;
}

static enum status exchange_admitted(void *context, const struct exchange_declaration *d,
                                     struct refusal *refusal)
{
    struct vhost *vhost = context;
    return holding_take(vhost, ACCOUNT_DEFINITIONS, exchange_size(d->name.len, d->arguments.len),
                        "one more exchange", refusal);
}

static enum status binding_admitted(void *context, const struct binding_size *size,
                                    struct refusal *refusal)
{
    struct vhost *vhost = context;
    enum status status =
        holding_take(vhost, ACCOUNT_BINDINGS, size->bytes, "one more binding", refusal);
    if (status || !size->ring_bytes)
        return status;
    status = holding_take(vhost, ACCOUNT_HASH_RINGS, size->ring_bytes,
                          "one more binding of this weight", refusal);
    if (status)
        holding_give(vhost, ACCOUNT_BINDINGS, size->bytes);
    return status;
}

static void binding_gone(void *context, const struct binding_size *size)
{
    holding_give(context, ACCOUNT_BINDINGS, size->bytes);
    holding_give(context, ACCOUNT_HASH_RINGS, size->ring_bytes);
}

static void exchange_removed(void *context, const struct exchange *exchange)
{
    holding_give(context, ACCOUNT_DEFINITIONS,
                 exchange_size(exchange->endpoint.name.len, exchange->arguments.len));
    struct dedup *dedup = exchange->dedup;
    dedup_delete(&dedup);
    struct history *history = exchange->history;
    history_free(&history);
    if (exchange->delay)
        delay_delete(exchange->delay);
    struct effective_policy *policy = exchange->policy;
    policy_leave(context, &policy);
    exchange_changed(context, exchange, false);
}

static void binding_changed(struct vhost *vhost, const struct binding *binding, bool added)
{
    if (vhost->recovering)
        return;
    event_binding(vhost, binding, added);
    notices_bound(vhost, binding);
    if (!binding_stored(binding))
        return;
    struct text key = {0}, value = {0};
    definition_of_binding(binding, &key, &value);
    if (added)
        vhost_put(vhost, &key, &value);
    else
        vhost_erase(vhost, &key);
    text_free(&key);
    text_free(&value);
}

static void binding_added(void *context, const struct binding *binding)
{
    binding_changed(context, binding, true);
}

static void binding_removed(void *context, const struct binding *binding)
{
    binding_changed(context, binding, false);
}

static void queue_text(const struct queue *queue, struct text *key, struct text *value)
{
    struct queue_definition definition = {
        .name = queue->endpoint.name,
        .arguments = queue->arguments,
        .durable = queue->durable,
        .auto_delete = queue->auto_delete,
        .exclusive = queue->exclusive,
        .lane_id = queue->lane.id,
        .priorities_id = queue->settings.type == QUEUE_QUORUM && queue->priorities
                             ? queue->priorities->first_id
                             : 0,
    };
    definition_of_queue(&definition, key, value);
}

void vhost_put_queue(struct queue *queue)
{
    struct text key = {0}, value = {0};
    queue_text(queue, &key, &value);
    vhost_put(queue->vhost, &key, &value);
    queue->definition_batch = journal_filling(queue->vhost->options.journal);
    text_free(&key);
    text_free(&value);
}

void vhost_erase_queue(struct queue *queue)
{
    struct text key = {0};
    queue_text(queue, &key, NULL);
    vhost_erase(queue->vhost, &key);
    text_free(&key);
}

/* Ids are put on record as used in portions, so that few of them cost a write. */
#define LANES_AT_ONCE 1024u

uint64_t vhost_lane_ids(struct vhost *vhost, unsigned count)
{
    if (vhost->lane_next + count > vhost->lane_reserved) {
        static const uint8_t key = LANES_KEY;
        uint8_t value[8];
        struct writer writer = writer_of(value, sizeof value);
        vhost->lane_reserved += LANES_AT_ONCE;
        write_u64(&writer, vhost->lane_reserved);
        journal_put(vhost->options.journal, bytes_of(&key, 1), bytes_of(value, sizeof value));
    }
    vhost->lane_next += count;
    return vhost->lane_next - count;
}

/* ---- Life. */

struct vhost *vhost_new(const struct vhost_options *options)
{
    struct vhost *vhost = mem_need(sizeof *vhost);
    vhost->options = *options;
    vhost_set_message_bytes_max(vhost, options->limits.message_bytes_max);
    vhost->name = bytes_of(mem_need_text(options->name.at, options->name.len), options->name.len);
    vhost->options.node_name = bytes_of(
        mem_need_text(options->node_name.at, options->node_name.len), options->node_name.len);
    vhost->random.state = options->random_seed;
    vhost->tuning.queues_max = UINT64_MAX;
    vhost->portion = options->portion ? options->portion : UINT32_MAX;
    vhost->committed = journal_committed(options->journal);
    vhost->timeout_min_ms =
        options->limits.consumer_timeout_ms ? options->limits.consumer_timeout_ms : UINT64_MAX;
    vhost->timeout_check_ms = UINT64_MAX;
    vhost->lane_next = vhost->lane_reserved = 1;
    TAILQ_INIT(&vhost->peers);
    TAILQ_INIT(&vhost->due);
    TAILQ_INIT(&vhost->over);
    dead_letters_init(&vhost->dead_letters);
    TAILQ_INIT(&vhost->waits_due);
    TAILQ_INIT(&vhost->promises_due);
    TAILQ_INIT(&vhost->promises_held);
    TAILQ_INIT(&vhost->leaving);
    TAILQ_INIT(&vhost->heavy);
    TAILQ_INIT(&vhost->rubble);
    TAILQ_INIT(&vhost->releasing);
    TAILQ_INIT(&vhost->returns_changed);
    policies_init(&vhost->policies);
    dedups_init(&vhost->dedups);
    struct topology_observer observer = {
        .context = vhost,
        .exchange_added = exchange_added,
        .exchange_removed = exchange_removed,
        .binding_added = binding_added,
        .binding_removed = binding_removed,
        .refuses = dedup_refuses,
        .exchange_admitted = exchange_admitted,
        .binding_admitted = binding_admitted,
        .binding_gone = binding_gone,
    };
    vhost->topology = topology_new(vhost->name, &vhost->queues, &observer);
    vhost->recovering = true;
    notices_declare(vhost);
    vhost->recovering = false;
    topology_seed(vhost->topology, random_next(&vhost->random));
    return vhost;
}

void vhost_watch(struct vhost *vhost, bool on)
{
    vhost->watched = on && vhost->options.told;
}

void vhost_tune(struct vhost *vhost, const struct vhost_tuning *tuning)
{
    vhost->tuning = *tuning;
}

static void no_event(void *context, void *owner, const struct event *event)
{
    (void)context;
    (void)owner;
    (void)event;
}

/* What the core keeps for exchanges. */
static void free_keepings(struct vhost *vhost)
{
    const struct exchange *exchange;
    uint64_t after = 0;
    while (topology_list_exchanges(vhost->topology, &after, &exchange, 1)) {
        struct dedup *dedup = exchange->dedup;
        struct history *history = exchange->history;
        dedup_free(&dedup);
        history_free(&history);
    }
}

void vhost_free(struct vhost **vhost_at)
{
    struct vhost *vhost = *vhost_at;
    if (!vhost)
        return;
    *vhost_at = NULL;
    vhost->options.event = no_event;
    struct peer *peer;
    while ((peer = TAILQ_FIRST(&vhost->peers)))
        peer_destroy(peer);
    uint64_t after = 0;
    struct queue *queue;
    route_memory_free(&vhost->route);
    notices_free(&vhost->notices);
    delays_free(vhost);
    free_keepings(vhost);
    topology_free(&vhost->topology);
    while ((queue = roster_next(&vhost->queue_roster, &after)))
        queue_destroy(queue);
    rubble_clear(vhost, UINT64_MAX);
    map_free(&vhost->queues);
    map_free(&vhost->lanes);
    map_free(&vhost->reply_consumers);
    roster_free(&vhost->queue_roster);
    roster_free(&vhost->consumer_roster);
    roster_free(&vhost->channel_roster);
    heap_free(&vhost->expiry);
    heap_free(&vhost->idle);
    text_free(&vhost->typed);
    policies_free(&vhost->policies);
    dedups_free(&vhost->dedups);
    holding_end(vhost);
    free((void *)vhost->name.at);
    free((void *)vhost->options.node_name.at);
    free(vhost);
}

/* ---- Commands. */

static command_handler *const handlers[] = {
    [COMMAND_CONFIRM_SELECT] = channel_confirm_select,
    [COMMAND_TX_SELECT] = command_tx_select,
    [COMMAND_TX_COMMIT] = command_tx_commit,
    [COMMAND_TX_ROLLBACK] = command_tx_rollback,
    [COMMAND_EXCHANGE_DECLARE] = command_exchange_declare,
    [COMMAND_EXCHANGE_DELETE] = command_exchange_delete,
    [COMMAND_EXCHANGE_BIND] = command_bind,
    [COMMAND_EXCHANGE_UNBIND] = command_unbind,
    [COMMAND_QUEUE_DECLARE] = command_queue_declare,
    [COMMAND_QUEUE_DELETE] = command_queue_delete,
    [COMMAND_QUEUE_PURGE] = command_queue_purge,
    [COMMAND_QUEUE_BIND] = command_bind,
    [COMMAND_QUEUE_UNBIND] = command_unbind,
    [COMMAND_PUBLISH] = command_publish,
    [COMMAND_CONSUME] = command_consume,
    [COMMAND_CANCEL] = command_cancel,
    [COMMAND_GET] = command_get,
    [COMMAND_QOS] = channel_qos,
    [COMMAND_RECOVER] = command_recover,
    [COMMAND_ACK] = command_ack,
    [COMMAND_NACK] = command_nack,
    [COMMAND_REJECT] = command_nack,
    [COMMAND_POLICY_PUT] = command_policy,
    [COMMAND_POLICY_DELETE] = command_policy,
};

static void open_channel(struct peer *peer, const struct command *command)
{
    uint16_t id = command->channel;
    if (id >= peer->channel_room) {
        uint32_t room = peer->channel_room ? peer->channel_room : 2;
        while (room <= id)
            room *= 2;
        peer->channels = mem_need_array(peer->channels, room, sizeof(struct channel *));
        memset(peer->channels + peer->channel_room, 0,
               (room - peer->channel_room) * sizeof(struct channel *));
        peer->channel_room = room;
    }
    CHECK(!peer->channels[id]); /* the session keeps track */
    peer->channels[id] = channel_new(peer, id);
    event_channel(peer->channels[id], true);
    channel_reply(peer->channels[id], command);
}

static void close_channel(struct peer *peer, const struct command *command)
{
    struct channel *channel = peer_channel(peer, command->channel);
    struct event reply = {.type = EVENT_REPLY, .channel = command->channel};
    reply.u.reply.command = COMMAND_CHANNEL_CLOSE;
    if (channel && !channel->closing && !channel_close(channel, &reply))
        channel_goes_on(channel);
}

static void take_credit(struct peer *peer, uint32_t bytes)
{
    uint64_t *under_way = &peer->under_way_bytes;
    *under_way = *under_way > bytes ? *under_way - bytes : 0;
    if (*under_way <= peer->vhost->options.peer_window_bytes / 2)
        consumer_wait_over(peer->vhost, &peer->wait);
}

static void dispatch_due(struct vhost *vhost)
{
    struct queue *queue;
    while ((queue = TAILQ_FIRST(&vhost->due))) {
        TAILQ_REMOVE(&vhost->due, queue, due_link);
        queue->due = false;
        queue_dispatch(queue);
    }
}

/* Wakes consumers that wait for one thing, until one of them has used it up and waits again. */
static void wake_in_turn(struct vhost *vhost, struct consumer_wait *wait)
{
    struct consumer *consumer;
    while ((consumer = TAILQ_FIRST(&wait->blocked))) {
        uint8_t waited = consumer->state;
        consumer_wake(consumer);
        dispatch_due(vhost);
        if (consumer->state == waited)
            break;
    }
}

struct applied vhost_settle_down(struct vhost *vhost)
{
    struct consumer_wait *wait;
    if (__builtin_expect(!TAILQ_EMPTY(&vhost->over), 0))
        length_tick(vhost);
    dispatch_due(vhost);
    while ((wait = TAILQ_FIRST(&vhost->waits_due))) {
        consumer_wait_end(vhost, wait);
        wake_in_turn(vhost, wait);
    }
    while (__builtin_expect(vhost->dead_letters.count != 0, 0) && dead_letters_send(vhost))
        dispatch_due(vhost);
    while (__builtin_expect(vhost->notices.count != 0, 0) && notices_send(vhost))
        dispatch_due(vhost);
    if (vhost->memory_bytes > vhost->options.limits.resident_bytes_max)
        paging_relieve(vhost);
    return vhost->applied;
}

/* What a channel that has failed holds is given back, in as many calls as that takes. */
static void release_failed(struct channel *channel)
{
    if (!channel_release(channel))
        channel_goes_on(channel);
}

struct applied vhost_apply(struct vhost *vhost, struct peer *peer, const struct command *command,
                           struct moment now)
{
    vhost_enter(vhost, now);
    switch (command->type) {
    case COMMAND_CHANNEL_OPEN:
        open_channel(peer, command);
        vhost_spend(vhost, WORK_COMMAND);
        return vhost->applied;
    case COMMAND_CHANNEL_CLOSE:
        close_channel(peer, command);
        break;
    case COMMAND_CREDIT:
        take_credit(peer, command->u.credit.bytes);
        break;
    default: {
        struct channel *channel = peer_channel(peer, command->channel);
        if (channel && !channel->failed) {
            handlers[command->type](channel, command);
            if (__builtin_expect(channel->failed, 0))
                release_failed(channel);
        } else if (command->type == COMMAND_PUBLISH) {
            struct message *message = command->u.publish.message;
            message_unref(&message);
        }
    }
    }
    return vhost_settle_down(vhost);
}

struct applied vhost_go_on(struct vhost *vhost, struct peer *peer, const struct command *command,
                           struct moment now)
{
    struct channel *channel = peer_channel(peer, command->channel);
    if (!channel || command->type == COMMAND_CHANNEL_CLOSE)
        return vhost_apply(vhost, peer, command, now);
    vhost_enter(vhost, now);
    if (!channel->failed && channel->spread)
        spread_go_on(channel);
    else if (!channel->failed)
        handlers[command->type](channel, command);
    if (channel->failed)
        release_failed(channel);
    if (!vhost->applied.unfinished)
        channel->progress = (struct progress){0};
    return vhost_settle_down(vhost);
}

/* ---- Other calls. */

bool vhost_holds_batch(const struct vhost *vhost)
{
    return vhost->committing != NULL;
}

void vhost_flush(struct vhost *vhost, struct moment now)
{
    vhost->committed_in_portions = vhost->committing != NULL;
    vhost->dead_letters.sent_in_turn = 0;
    if (!TAILQ_EMPTY(&vhost->returns_changed))
        returns_flush(vhost);
    if (TAILQ_EMPTY(&vhost->promises_due))
        return;
    vhost->now = now;
    promise_flush(vhost);
    vhost_settle_down(vhost);
}

void vhost_committed(struct vhost *vhost, uint64_t batch, struct moment now)
{
    vhost->now = now;
    if (batch > vhost->committed)
        vhost->committed = batch;
    promise_committed(vhost);
    paging_committed(vhost);
    vhost_settle_down(vhost);
}

size_t vhost_resident_bytes(const struct vhost *vhost)
{
    return (size_t)vhost->memory_bytes;
}
