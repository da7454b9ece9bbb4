/* Publishing: from a message to the queues that get it.
 *
 * Normal course: command_publish → publish_message → recall (the channel's last route, when the
 * exchange and the routing key are the same) or route_by (topology/route.c) → queue_publish for
 * each queue → promise_confirm. What can go wrong: the exchange does not exist or is internal: the
 * channel fails. No queue is bound for the message: it is returned when it is mandatory, and
 * confirmed all the same. A queue at its limit refuses it: the client gets a nack. */
#include "broker/publish/publish.h"

#include "broker/channel/reply_to.h"
#include "broker/publish/history.h"
#include "broker/publish/offspring.h"
#include "broker/publish/spread.h"
#include "broker/topology/copies.h"
#include "broker/topology/delayed.h"
#include "leveret/base/mem.h"
#include "leveret/wire/cursor.h"

/* Bytes of an exchange's name and a routing key, with their lengths, as they lie side by side in a
 * message: one comparison tells whether a message has the route of the one before it. */
#define ROUTE_KEY_MAX (2 + NAME_BYTES_MAX + NAME_BYTES_MAX)

struct route_memory {
    struct route_result result;
    struct exchange *exchange;
    uint64_t version;     /* of the topology; result holds for this one alone */
    struct copies copies; /* the keys of the message that was routed last, if it had CC or BCC */
    uint16_t key_len;     /* 0: the result holds for the last message alone */
    uint8_t key[ROUTE_KEY_MAX];
};

void publish_forget_route(struct route_memory **memory)
{
    if (!*memory)
        return;
    route_result_free(&(*memory)->result);
    copies_free(&(*memory)->copies);
    free(*memory);
    *memory = NULL;
}

/* The exchange that a client's message is published to; NULL after failing the channel, because it
 * does not exist or clients may not publish to it. */
static struct exchange *exchange_of(struct channel *channel, const struct message *message)
{
    struct vhost *vhost = channel->vhost;
    struct exchange *exchange = topology_exchange(vhost->topology, message_exchange(message));
    enum status status;
    if (!exchange)
        status = refuse_missing(&vhost->store.call.refusal, "exchange", message_exchange(message),
                                vhost->options.name);
    else
        status = topology_check_publish(vhost->topology, exchange, &vhost->store.call.refusal);
    if (!status)
        return exchange;
    channel_refuse(channel, COMMAND_PUBLISH, status, "%s", vhost->store.call.refusal.text);
    return NULL;
}

/* The last route, when this message goes by the same one; else NULL. */
static inline struct route_memory *recall(const struct vhost *vhost, struct route_memory *memory,
                                          const struct message *message)
{
    if (memory && memory->version == topology_version(vhost->topology) &&
        memory->key_len == message->properties_from &&
        memcmp(memory->key, message->data, memory->key_len) == 0 && !copies_asked(message))
        return memory;
    return NULL;
}

/* Whether exchanges that delay keep the message, or route it at once like any other exchange. */
enum routed { ROUTED_WITH_DELAYS, ROUTED_AT_ONCE };
/* Routes the message and remembers the route in *memory_at. The result is valid until the topology
 * changes or the next message is routed with the same memory. */
static struct route_memory *route_by(struct vhost *vhost, struct route_memory **memory_at,
                                     struct exchange *exchange, const struct message *message,
                                     enum routed how)
{
    struct topology *topology = vhost->topology;
    struct route_memory *memory = *memory_at;
    if (!memory) {
        memory = *memory_at = mem_need(sizeof *memory);
        vhost->counters.publishers += memory_at != &vhost->route;
    }
    bool copies = copies_asked(message);
    if (copies) {
        copies_collect(message, &memory->copies);
        const struct route_input input = {memory->copies.keys, memory->copies.count, message,
                                          how == ROUTED_AT_ONCE};
        route(topology, exchange, &input, &memory->result);
    } else {
        struct bytes key = message_routing_key(message);
        const struct route_input input = {&key, 1, message, how == ROUTED_AT_ONCE};
        route(topology, exchange, &input, &memory->result);
    }
    call_spend(&vhost->store.call, memory->result.work);
    if (!memory->result.by_key && message->has_headers)
        call_spend(&vhost->store.call, message_properties(message).len / WORK_ARGUMENT_BYTES);
    memory->exchange = exchange;
    memory->version = topology_version(topology);
    memory->key_len = 0;
    if (memory->result.by_key && !copies && how == ROUTED_WITH_DELAYS) {
        memory->key_len = message->properties_from;
        memcpy(memory->key, message->data, memory->key_len);
    }
    return memory;
}

/* Returns a mandatory message to the client. */
static void send_back(struct channel *channel, struct message *message)
{
    struct event event = channel_event(channel, EVENT_RETURN);
    struct message *shown = message->blind ? copies_shown(message) : message_ref(message);
    promise_release_due(channel); /* messages published before this one are confirmed first */
    event.u.returned.message = shown;
    event.u.returned.status = STATUS_NO_ROUTE;
    channel->rates.return_unroutable++;
    channel->vhost->channels.rates.return_unroutable++;
    channel_emit(channel, &event);
    message_unref(&shown);
}

/* With so many messages ready in a queue that has consumers, the consumers are behind: connections
 * that publish to it are slowed down (peer_pace). */
#define BEHIND_READY 1024u

static inline bool consumers_behind(const struct queue *queue)
{
    return queue->stock.ready >= BEHIND_READY && queue->takers.count && !queue->paused;
}

/* Gives a client's message to each queue of the route. *needed is raised to the journal's batch
 * that holds it. Returns false when a queue refused it. */
static bool put_along(struct peer *peer, const struct route_memory *route, struct message *message,
                      uint64_t *needed)
{
    bool taken = true, behind = false;
    size_t count = route->result.count;
    route->exchange->publish_out += count;
    for (size_t i = 0; i < count; i++) {
        struct queue *queue = queue_of(route->result.queues[i]);
        behind |= consumers_behind(queue);
        taken &= queue_publish(queue, message, needed);
    }
    if (__builtin_expect(behind || peer->outruns, 0))
        peer_pace(peer, behind);
    return taken;
}

/* Whether a message of the broker's own may go to this queue. */
static bool passes(const struct publishing *publishing, const struct queue *queue)
{
    return !publishing->passes || publishing->passes(queue, publishing->context);
}

/* Gives a message of the broker's own to the queues of the route that it may go to, and to at most
 * max of them. */
static void put_to_some(const struct route_memory *route, struct message *message,
                        struct publishing *publishing, size_t max)
{
    for (size_t i = 0; i < route->result.count; i++) {
        struct queue *queue = queue_of(route->result.queues[i]);
        if (!passes(publishing, queue))
            continue;
        if (!max--) {
            publishing->dropped++;
            max = 0;
            continue;
        }
        publishing->routed++;
        publishing->taken +=
            queue_publish(queue, message, &publishing->needed) || length_passes_on(queue);
    }
    route->exchange->publish_out += publishing->routed;
}

/* Returns to how many queues of the route a dead letter may go (offspring.h). *message becomes a
 * copy that notes how many messages there will be of the letter's original, which the caller
 * unrefs; or NULL when there will be one only, or there is no memory for the copy. */
static size_t bound_offspring(const struct route_result *result,
                              const struct publishing *publishing, struct message **message)
{
    uint64_t count = result->keeper_count, offspring = publishing->offspring;
    size_t max = OFFSPRING_MAX / publishing->offspring;
    if (max < result->keeper_count + 1)
        max = result->keeper_count + 1; /* it goes to one queue at least */
    for (size_t i = 0; i < result->count; i++)
        count += passes(publishing, queue_of(result->queues[i]));
    offspring *= count < max ? count : max;
    if (offspring > OFFSPRING_MAX)
        offspring = OFFSPRING_MAX;
    *message = offspring > 1 ? offspring_mark(*message, (uint32_t)offspring) : NULL;
    return max - result->keeper_count;
}

/* Gives the message to each exchange of the route that delays it. Returns how many there are. */
static size_t keep_along(struct vhost *vhost, const struct route_result *result,
                         struct message *message, uint64_t *needed)
{
    uint64_t delay_ms = delayed_ms(message);
    for (size_t i = 0; i < result->keeper_count; i++)
        delay_keep(&vhost->delays, result->keepers[i], message, delay_ms, needed);
    return result->keeper_count;
}

/* Whether a message that is to be delayed would get to a queue without the delay. */
static bool leads_on(struct vhost *vhost, struct exchange *exchange, const struct message *message)
{
    return route_by(vhost, &vhost->route, exchange, message, ROUTED_AT_ONCE)->result.count != 0;
}

/* Hands a client's message to the delayed exchanges on its route. Returns false, keeping nothing,
 * when it is mandatory and no queue gets it now or would get it once its delay is over: the caller
 * then returns it. */
static bool keep_for(struct channel *channel, const struct route_memory *route,
                     struct message *message, bool mandatory, uint64_t *needed)
{
    struct vhost *vhost = channel->vhost;
    bool kept = route->result.count || !mandatory || leads_on(vhost, route->exchange, message);
    if (kept)
        keep_along(vhost, &route->result, message, needed);
    return kept;
}

/* All queues have taken the message: exchanges on its route that deduplicate refuse the same
 * message from now on. A message that a queue refused, or that got to no queue, is not remembered,
 * so that the client may publish it again. */
static void remember_along(const struct route_result *result, const struct message *message)
{
    for (size_t i = 0; i < result->sieve_count; i++)
        dedup_remember(result->sieves[i], message);
}

/* Exchanges of type x-recent-history on the route keep the message, whether or not a queue takes
 * it. */
static void keep_history(const struct route_result *result, struct message *message)
{
    for (size_t i = 0; i < result->history_count; i++)
        history_keep(result->histories[i], message);
}

/* No queue gets a client's message. It may be a direct reply, which goes to the consumer that waits
 * for it; else it is returned when it is mandatory, and dropped when it is not. */
static void find_no_queue(struct channel *channel, struct exchange *exchange,
                          struct message *message, bool mandatory)
{
    if (message->exchange_len == 0 && reply_to_deliver(&channel->vhost->channels, message))
        return;
    if (mandatory) {
        exchange->unroutable_returned++;
        send_back(channel, message);
    } else {
        exchange->unroutable_dropped++;
        channel->rates.drop_unroutable++;
        channel->vhost->channels.rates.drop_unroutable++;
    }
}

/* Counts a client's message that goes to no queue or to several. A message that goes to one queue,
 * as most do, needs no count of its own (struct published). */
static inline void count_routes(struct vhost *vhost, size_t queues)
{
    vhost->published.routed_more += queues - 1;
}

/* Fails the channel and returns true when an exchange that delays is on the route and the message's
 * x-delay is malformed. Publishing such a message without a delay would do something that the
 * client has not asked for. */
static bool refuse_delay(struct channel *channel, const struct route_memory *route,
                         const struct message *message)
{
    char why[DELAYED_WHY_MAX];
    if (!route->result.delay_malformed || !delayed_malformed(message, why))
        return false;
    channel_refuse(channel, COMMAND_PUBLISH, STATUS_PRECONDITION_FAILED, "invalid x-delay: %s",
                   why);
    return true;
}

/* Publishes a client's message whose route is not plain: an exchange on it delays, deduplicates or
 * has a history, or it leads to many queues, or the vhost is traced. Returns false when a queue
 * refused the message, or when it goes to many queues and this call did not reach the last. */
static bool publish_specially(struct channel *channel, struct route_memory *route,
                              struct message *message, bool mandatory, uint64_t *needed)
{
    struct route_result *result = &route->result;
    bool kept = false;
    keep_history(result, message);
    count_routes(channel->vhost, result->count);
    if (result->keeper_count)
        kept = keep_for(channel, route, message, mandatory, needed);
    if (channel->vhost->channels.tracing) {
        struct message *shown = message->blind ? copies_shown(message) : message_ref(message);
        const struct notice_channel traced = channel_traced(channel);
        notice_trace_published(&channel->vhost->notices, &traced, shown, result);
        message_unref(&shown);
    }
    if (!channel->tx && !result->sieve_count && !result->duplicate &&
        spread_begin(channel, message, result, *needed)) {
        route->exchange->publish_out += result->count;
        return false; /* spread_go_on confirms it */
    }
    call_spend(&channel->vhost->store.call, result->count * WORK_QUEUE);
    bool taken = put_along(channel->peer, route, message, needed);
    bool found = kept || result->count;
    if (taken && found)
        remember_along(result, message);
    if (result->duplicate && result->duplicate_needed > *needed)
        *needed = result->duplicate_needed;
    if (!found && !result->duplicate)
        find_no_queue(channel, route->exchange, message, mandatory);
    return taken;
}

/* Publishes a client's message along its route. Returns false when a queue refused it, or as
 * publish_specially says. */
static bool publish_along(struct channel *channel, struct route_memory *route,
                          struct message *message, bool mandatory, uint64_t *needed)
{
    route->exchange->publish_in++;
    if (__builtin_expect(route->result.special | channel->vhost->channels.tracing, 0))
        return publish_specially(channel, route, message, mandatory, needed);
    if (route->result.count != 1) {
        count_routes(channel->vhost, route->result.count);
        if (route->result.count == 0)
            find_no_queue(channel, route->exchange, message, mandatory);
    }
    return put_along(channel->peer, route, message, needed);
}

void publish_message(struct channel *channel, struct message *message, bool mandatory)
{
    struct route_memory *route = recall(channel->vhost, channel->route, message);
    if (!route) {
        struct exchange *exchange = exchange_of(channel, message);
        if (!exchange) {
            channel->vhost->published.not_routed++;
            return;
        }
        route = route_by(channel->vhost, &channel->route, exchange, message, ROUTED_WITH_DELAYS);
    }
    if (__builtin_expect(route->result.special, 0) && refuse_delay(channel, route, message)) {
        channel->vhost->published.not_routed++;
        return;
    }
    uint64_t needed = 0;
    bool taken = publish_along(channel, route, message, mandatory, &needed);
    if (!channel->confirm || channel->failed)
        return;
    if (taken)
        promise_confirm(channel, needed);
    else if (!channel->spread) /* else the message has not been given to all queues yet */
        promise_nack(channel);
}

bool publish_check(struct channel *channel, const struct message *message)
{
    struct exchange *exchange;
    if (recall(channel->vhost, channel->route, message))
        return true;
    if (!(exchange = exchange_of(channel, message)))
        return false;
    /* A malformed x-delay is refused now, not at the commit. Only then is the message routed here.
     */
    char why[DELAYED_WHY_MAX];
    if (!message->has_headers || !delayed_malformed(message, why))
        return true;
    return !refuse_delay(
        channel, route_by(channel->vhost, &channel->route, exchange, message, ROUTED_WITH_DELAYS),
        message);
}

bool publish_committed(struct channel *channel, struct message *message, bool mandatory,
                       uint64_t *needed)
{
    struct exchange *exchange =
        topology_exchange(channel->vhost->topology, message_exchange(message));
    if (exchange) {
        channel->vhost->published.not_routed--;
        return publish_along(
            channel,
            route_by(channel->vhost, &channel->route, exchange, message, ROUTED_WITH_DELAYS),
            message, mandatory, needed);
    }
    if (mandatory) {
        send_back(channel, message);
    } else {
        channel->rates.drop_unroutable++;
        channel->vhost->channels.rates.drop_unroutable++;
    }
    return true;
}

void publish_filtered(struct vhost *vhost, struct message *message, struct publishing *publishing)
{
    struct route_memory *route = recall(vhost, vhost->route, message);
    if (!route) {
        struct exchange *exchange = topology_exchange(vhost->topology, message_exchange(message));
        if (!exchange)
            return;
        route = route_by(vhost, &vhost->route, exchange, message, ROUTED_WITH_DELAYS);
    }
    route->exchange->publish_in++;
    struct message *marked = message;
    size_t max = SIZE_MAX;
    if (publishing->offspring)
        max = bound_offspring(&route->result, publishing, &marked);
    if (publishing->offspring && marked)
        message = marked;
    if (route->result.keeper_count) {
        size_t kept = keep_along(vhost, &route->result, message, &publishing->needed);
        publishing->routed += kept;
        publishing->taken += kept;
    }
    put_to_some(route, message, publishing, max);
    if (publishing->taken)
        remember_along(&route->result, message);
    if (publishing->taken || !publishing->again)
        keep_history(&route->result, message);
    if (publishing->offspring)
        message_unref(&marked);
    if (route->result.duplicate) { /* an exchange has seen the message before: it counts as taken */
        publishing->routed++;
        publishing->taken++;
        if (route->result.duplicate_needed > publishing->needed)
            publishing->needed = route->result.duplicate_needed;
    }
}

uint64_t publish_internal(struct vhost *vhost, struct message *message, size_t *routed)
{
    struct publishing publishing = {0};
    publish_filtered(vhost, message, &publishing);
    *routed = publishing.routed;
    return publishing.needed;
}

void publish_delayed(struct vhost *vhost, struct exchange *exchange, struct message *message)
{
    struct route_memory *route = route_by(vhost, &vhost->route, exchange, message, ROUTED_AT_ONCE);
    struct publishing publishing = {0};
    struct message *marked = NULL;
    keep_history(&route->result, message);
    size_t max = SIZE_MAX;
    if (offspring_generation(message)) {
        publishing.offspring = offspring_of(message);
        marked = message;
        max = bound_offspring(&route->result, &publishing, &marked);
    }
    put_to_some(route, marked ? marked : message, &publishing, max);
    vhost->counters.dead_letters_dropped += publishing.dropped;
    if (publishing.taken)
        remember_along(&route->result, message);
    message_unref(&marked);
}

size_t publish_through(struct vhost *vhost, struct exchange *exchange, struct message *message)
{
    struct route_memory *route =
        route_by(vhost, &vhost->route, exchange, message, ROUTED_WITH_DELAYS);
    struct publishing publishing = {0};
    route->exchange->publish_in++;
    keep_history(&route->result, message);
    call_spend(&vhost->store.call, route->result.count * WORK_QUEUE);
    keep_along(vhost, &route->result, message, &publishing.needed);
    put_to_some(route, message, &publishing, SIZE_MAX);
    if (publishing.taken)
        remember_along(&route->result, message);
    return publishing.routed;
}
