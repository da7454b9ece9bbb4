/* The vhost: from commands to their handlers, and what each call leaves to do. See vhost.h.
 *
 * Normal course: vhost_apply finds the channel, runs the command's handler, then dispatches the
 * queues that the handler gave something to do. What can go wrong: a handler fails the channel;
 * from then on everything for it is dropped until it is closed. */
#include "broker/publish/history.h"
#include "broker/vhost_state.h"
#include "leveret/base/mem.h"
#include "leveret/wire/cursor.h"

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
    const struct topology_observer observer = vhost_observer(vhost);
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

static void take_credit(struct peer *peer, uint32_t bytes)
{
    uint64_t *under_way = &peer->under_way_bytes;
    *under_way = *under_way > bytes ? *under_way - bytes : 0;
    if (*under_way <= peer->vhost->options.peer_window_bytes / 2)
        consumer_wait_over(peer->vhost, &peer->wait);
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
        command_channel_open(peer, command);
        vhost_spend(vhost, WORK_COMMAND);
        return vhost->applied;
    case COMMAND_CHANNEL_CLOSE:
        command_channel_close(peer, command);
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

size_t vhost_resident_bytes(const struct vhost *vhost)
{
    return (size_t)vhost->memory_bytes;
}
