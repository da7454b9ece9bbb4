/* The life of a vhost, and the way of a command to its handler. See leveret/broker/vhost.h.
 *
 * Normal course: vhost_apply finds the channel, runs the command's handler, then does what the
 * handler has left to do (turn.h). What can go wrong: a handler fails the channel: from then on all
 * commands for it are dropped until it is closed. */
#include "leveret/broker/vhost.h"

#include "broker/command/channel_end.h"
#include "broker/command/command.h"
#include "broker/command/policy_sweep.h"
#include "broker/publish/history.h"
#include "broker/publish/publish.h"
#include "broker/publish/spread.h"
#include "broker/vhost/announce.h"
#include "broker/vhost/attach.h"
#include "broker/vhost/observe.h"
#include "broker/vhost/turn.h"
#include "broker/vhost_state.h"
#include "leveret/base/mem.h"
#include "leveret/wire/cursor.h"

/* ---- Life. */

/* consume-ok has been sent: the consumer may get messages. */
static void consume_ok_left(struct channel *channel, uint32_t id)
{
    struct consumer *consumer = map_get(&channel->consumer_map, bytes_of(&id, sizeof id));
    if (consumer)
        consumer_told(consumer);
}

static void init_channels(struct vhost *vhost)
{
    static const struct promise_calls promise_calls = {.consume_ok_left = consume_ok_left,
                                                       .through = channel_destroy};
    const struct vhost_options *options = &vhost->options;
    uint64_t timeout_ms = options->limits.consumer_timeout_ms;
    vhost->channels = (struct channels){
        .store = &vhost->store,
        .notices = &vhost->notices,
        .vhost_name = options->name,
        .event = options->event,
        .context = options->context,
        .promise_calls = &promise_calls,
        .timeout_default_ms = timeout_ms,
        .timeout_min_ms = timeout_ms ? timeout_ms : UINT64_MAX,
        .timeout_check_ms = UINT64_MAX,
        .random.state = options->random_seed,
        .peer_window_bytes = options->peer_window_bytes,
    };
    TAILQ_INIT(&vhost->channels.peers);
    TAILQ_INIT(&vhost->channels.waits_due);
    TAILQ_INIT(&vhost->channels.promises_due);
    TAILQ_INIT(&vhost->channels.promises_held);
    TAILQ_INIT(&vhost->channels.releasing);
}

/* To be called when the topology has been made. */
static void init_queues(struct vhost *vhost)
{
    struct queues *queues = &vhost->queues;
    queues->store = &vhost->store;
    queues->topology = vhost->topology;
    queues->policies = &vhost->policies;
    queues->dedups = &vhost->dedups;
    queues->notices = &vhost->notices;
    queues->channels = &vhost->channels;
    queues->counters = &vhost->counters;
    queues->census = vhost->options.census;
    queues->vhost_name = vhost->options.name;
    queues->delivery_count = vhost->options.dialect.delivery_count;
    TAILQ_INIT(&queues->due);
    TAILQ_INIT(&queues->over);
    dead_letters_init(&queues->dead_letters);
}

struct vhost *vhost_new(const struct vhost_options *options)
{
    struct vhost *vhost = mem_need(sizeof *vhost);
    vhost->options = *options;
    vhost->options.name =
        bytes_of(mem_need_text(options->name.at, options->name.len), options->name.len);
    vhost->options.node_name = bytes_of(
        mem_need_text(options->node_name.at, options->node_name.len), options->node_name.len);
    vhost->tuning.queues_max = UINT64_MAX;
    vhost_take_limits(vhost, &options->limits);
    store_init(&vhost->store, options->journal, options->account);
    vhost->store.call.portion = options->portion ? options->portion : UINT32_MAX;
    vhost->notices.vhost_name = vhost->options.name;
    vhost->notices.node_name = vhost->options.node_name;
    vhost->notices.told = options->told;
    vhost->notices.context = options->context;
    init_channels(vhost);
    policies_init(&vhost->policies);
    dedups_init(&vhost->dedups, &vhost->store);
    delays_init(&vhost->delays, &vhost->store);
    const struct topology_observer observer = vhost_observer(vhost);
    vhost->topology = topology_new(vhost->options.name, &vhost->queues.by_name, &observer);
    census_exchanges(options->census, (int64_t)topology_exchange_count(vhost->topology));
    init_queues(vhost);
    store_set_recovering(&vhost->store, true);
    announce_declare(vhost);
    store_set_recovering(&vhost->store, false);
    topology_seed(vhost->topology, random_next(&vhost->channels.random));
    return vhost;
}

void vhost_watch(struct vhost *vhost, bool on)
{
    vhost->notices.watched = on && vhost->options.told;
}

void vhost_tune(struct vhost *vhost, const struct vhost_tuning *tuning)
{
    vhost->tuning = *tuning;
    vhost->channels.tracing = tuning->tracing;
}

static void no_event(void *context, void *owner, const struct event *event)
{
    (void)context;
    (void)owner;
    (void)event;
}

/* Frees what the core keeps for exchanges: what they have seen, and their histories. */
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

static void free_queues(struct queues *queues)
{
    struct queue *queue;
    uint64_t after = 0;
    while ((queue = roster_next(&queues->roster, &after)))
        queue_destroy(queue);
    map_free(&queues->by_name);
    roster_free(&queues->roster);
    heap_free(&queues->expiry);
    heap_free(&queues->idle);
}

void vhost_free(struct vhost **vhost_at)
{
    struct vhost *vhost = *vhost_at;
    if (!vhost)
        return;
    *vhost_at = NULL;
    vhost->channels.event = no_event;
    struct peer *peer;
    while ((peer = TAILQ_FIRST(&vhost->channels.peers)))
        vhost_destroy_peer(peer);
    publish_forget_route(&vhost->route);
    census_exchanges(vhost->options.census, -(int64_t)topology_exchange_count(vhost->topology));
    census_queues(vhost->options.census, -(int64_t)roster_count(&vhost->queues.roster));
    vhost->queues.census = vhost->options.census = NULL;
    notices_free(&vhost->notices);
    delays_free(&vhost->delays);
    free_keepings(vhost);
    topology_free(&vhost->topology);
    free_queues(&vhost->queues);
    map_free(&vhost->channels.reply_consumers);
    roster_free(&vhost->channels.consumer_roster);
    roster_free(&vhost->channels.roster);
    text_free(&vhost->typed);
    policy_sweep_forget_all(&vhost->policies);
    policies_free(&vhost->policies);
    dedups_free(&vhost->dedups);
    store_free(&vhost->store);
    free((void *)vhost->options.name.at);
    free((void *)vhost->options.node_name.at);
    free(vhost);
}

/* ---- Commands. */

static command_handler *const handlers[] = {
    [COMMAND_CONFIRM_SELECT] = command_confirm_select,
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
    [COMMAND_QUEUE_PAUSE] = command_queue_pause,
    [COMMAND_QUEUE_BIND] = command_bind,
    [COMMAND_QUEUE_UNBIND] = command_unbind,
    [COMMAND_TOPIC_CHECK] = command_topic_check,
    [COMMAND_PUBLISH] = command_publish,
    [COMMAND_CONSUME] = command_consume,
    [COMMAND_CANCEL] = command_cancel,
    [COMMAND_GET] = command_get,
    [COMMAND_PEEK] = command_peek,
    [COMMAND_MOVE] = command_move,
    [COMMAND_DROP_MESSAGE] = command_drop_message,
    [COMMAND_QOS] = command_qos,
    [COMMAND_RECOVER] = command_recover,
    [COMMAND_ACK] = command_ack,
    [COMMAND_NACK] = command_nack,
    [COMMAND_REJECT] = command_nack,
    [COMMAND_POLICY_PUT] = command_policy,
    [COMMAND_POLICY_DELETE] = command_policy,
};

/* Deliveries of so many bytes have left for the socket; consumers that waited for that may go on.
 */
static void take_credit(struct peer *peer, uint32_t bytes)
{
    uint64_t *under_way = &peer->under_way_bytes;
    *under_way = *under_way > bytes ? *under_way - bytes : 0;
    if (*under_way <= peer->vhost->channels.peer_window_bytes / 2)
        wait_over(&peer->vhost->channels, &peer->wait);
}

/* Gives back what a channel that has failed holds, in as many calls as that takes. */
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
        call_spend(&vhost->store.call, WORK_COMMAND);
        return vhost->store.call.applied;
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
    return vhost_finish_call(vhost);
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
    if (!vhost->store.call.applied.unfinished)
        channel->progress = (struct progress){0};
    return vhost_finish_call(vhost);
}

/* ---- Other calls. */

size_t vhost_resident_bytes(const struct vhost *vhost)
{
    return (size_t)vhost->store.memory_bytes;
}
