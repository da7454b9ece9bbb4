/* Publishing: from a message to the queues that get it.
 *
 * Normal course: command_publish → route_of (the channel's last route when it is the same, else
 * route.c) → queue_publish for each queue → promise_confirm. What can go wrong: no such exchange,
 * an internal one: the channel fails. Nobody wants it: returned when mandatory, confirmed all the
 * same. A queue at its limit refuses it: a nack. */
#include "broker/publish/publish.h"

#include <inttypes.h>

#include "broker/channel/reply_to.h"
#include "broker/publish/history.h"
#include "broker/publish/offspring.h"
#include "broker/publish/spread.h"
#include "broker/topology/copies.h"
#include "broker/topology/delayed.h"
#include "leveret/base/mem.h"
#include "leveret/wire/cursor.h"

/* Exchange and routing key lie side by side in a message: one comparison tells the route known. */
#define ROUTE_KEY_MAX (2 + NAME_BYTES_MAX + NAME_BYTES_MAX)

struct route_memory {
    struct route_result result;
    struct exchange *exchange;
    uint64_t version;     /* of the topology that result belongs to */
    struct copies copies; /* of the message that was routed last, when it had any */
    uint16_t key_len;     /* 0: nothing remembered */
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

/* The exchange that a message is published to, if a client may; NULL after failing the channel. */
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

/* The last route, if it is this message's too. */
static inline struct route_memory *recall(const struct vhost *vhost, struct route_memory *memory,
                                          const struct message *message)
{
    if (memory && memory->version == topology_version(vhost->topology) &&
        memory->key_len == message->properties_from &&
        memcmp(memory->key, message->data, memory->key_len) == 0 && !copies_asked(message))
        return memory;
    return NULL;
}

/* Routes, and remembers. The result is valid until the topology changes. */
enum routed { ROUTED_WITH_DELAYS, ROUTED_AT_ONCE };
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

static void send_back(struct channel *channel, struct message *message)
{
    struct event event = channel_event(channel, EVENT_RETURN);
    struct message *shown = message->blind ? copies_shown(message) : message_ref(message);
    promise_release_due(channel); /* confirms of what was published before it go before it */
    event.u.returned.message = shown;
    event.u.returned.status = STATUS_NO_ROUTE;
    channel->rates.return_unroutable++;
    channel->vhost->channels.rates.return_unroutable++;
    channel_emit(channel, &event);
    message_unref(&shown);
}

/* Messages ready in a queue that has consumers, from which on these are behind. */
#define BEHIND_READY 1024u

static inline bool consumers_behind(const struct queue *queue)
{
    return queue->stock.ready >= BEHIND_READY && queue->takers.count;
}

/* To each queue of the route. *needed is raised to the batch that a promise waits for. Returns
 * whether all of them took it. */
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

static bool passes(const struct publishing *publishing, const struct queue *queue)
{
    return !publishing->passes || publishing->passes(queue, publishing->context);
}

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

/* A dead letter is about to go along a route: to how many queues it may. *message is replaced by
 * one that notes how many there are of it then, which the caller gives back; or is left alone. */
static size_t bound_offspring(const struct route_result *result,
                              const struct publishing *publishing, struct message **message)
{
    uint64_t count = result->keeper_count, offspring = publishing->offspring;
    size_t max = OFFSPRING_MAX / publishing->offspring;
    if (max < result->keeper_count + 1)
        max = result->keeper_count + 1; /* it goes on somewhere */
    for (size_t i = 0; i < result->count; i++)
        count += passes(publishing, queue_of(result->queues[i]));
    offspring *= count < max ? count : max;
    if (offspring > OFFSPRING_MAX)
        offspring = OFFSPRING_MAX;
    *message = offspring > 1 ? offspring_mark(*message, (uint32_t)offspring) : NULL;
    return max - result->keeper_count;
}

/* To each exchange of the route that keeps the message for a time. Returns how many. */
static size_t keep_along(struct vhost *vhost, const struct route_result *result,
                         struct message *message, uint64_t *needed)
{
    uint64_t delay_ms = delayed_ms(message);
    for (size_t i = 0; i < result->keeper_count; i++)
        delay_keep(&vhost->delays, result->keepers[i], message, delay_ms, needed);
    return result->keeper_count;
}

/* Whether a message that is to wait would find a queue if it did not. */
static bool leads_on(struct vhost *vhost, struct exchange *exchange, const struct message *message)
{
    return route_by(vhost, &vhost->route, exchange, message, ROUTED_AT_ONCE)->result.count != 0;
}

/* A client's message that exchanges keep, unless it is to come back. Returns whether it does not.
 */
static bool keep_for(struct channel *channel, const struct route_memory *route,
                     struct message *message, bool mandatory, uint64_t *needed)
{
    struct vhost *vhost = channel->vhost;
    bool kept = route->result.count || !mandatory || leads_on(vhost, route->exchange, message);
    if (kept)
        keep_along(vhost, &route->result, message, needed);
    return kept;
}

/* The message is taken: exchanges that deduplicate know it from now on. One that is not, or that
 * found no queue, may come again. */
static void remember_along(const struct route_result *result, const struct message *message)
{
    for (size_t i = 0; i < result->sieve_count; i++)
        dedup_remember(result->sieves[i], message);
}

/* Exchanges of type x-recent-history keep the message, whether or not a queue takes it. */
static void keep_history(const struct route_result *result, struct message *message)
{
    for (size_t i = 0; i < result->history_count; i++)
        history_keep(result->histories[i], message);
}

/* No queue of the vhost is to have it: a reply that is waited for, or to be sent back. */
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

/* A client's message goes to none or to several queues: most go to one, and are counted as they
 * come in. */
static inline void count_routes(struct vhost *vhost, size_t queues)
{
    vhost->published.routed_more += queues - 1;
}

/* A client's message asks an exchange that delays for what is no delay: the channel is failed. To
 * run it now would be the worst answer. */
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

/* A route that exchanges with features of their own are on or that leads to many queues, or a vhost
 * that is traced. */
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
        return false; /* its confirm is the spread's */
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

/* To queues and to exchanges that keep it, for a client. */
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
    else if (!channel->spread) /* else it is not known yet */
        promise_nack(channel);
}

bool publish_check(struct channel *channel, const struct message *message)
{
    struct exchange *exchange;
    if (recall(channel->vhost, channel->route, message))
        return true;
    if (!(exchange = exchange_of(channel, message)))
        return false;
    /* A delay is refused here, not at the commit; few transactions have headers to look at. */
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
    if (route->result.duplicate) { /* where it would go it has been */
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
