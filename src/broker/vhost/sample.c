/* Part of vhost: samples (leveret/broker/sample.h).
 *
 * The host walks over all objects every few seconds, SAMPLE_LOOKS_MAX of them in a call, and gets
 * the numbers of those that have changed. A publish or a delivery notes nothing for it: an object
 * keeps a mark of the numbers in its last sample, and the walk compares. To look at an idle queue
 * costs about 25 ns, since those that come next are fetched ahead. */
#include "leveret/broker/sample.h"

#include "broker/vhost/sample.h"
#include "broker/vhost/turn.h"
#include "broker/vhost_state.h"

/* How many objects ahead of the one that is looked at the memory is asked for. */
#define FETCH_AHEAD 12u

static uint64_t sum(const struct rates *rates)
{
    return rates->publish + rates->confirm + rates->return_unroutable + rates->drop_unroutable +
           rates->deliver + rates->deliver_no_ack + rates->get + rates->get_no_ack +
           rates->get_empty + rates->ack + rates->redeliver + rates->reject;
}

static uint64_t mark_of_queue(const struct queue *queue)
{
    const struct stock *stock = &queue->stock;
    return sampled_mark(sum(&queue->rates) + stock->appended + stock->paged_out + stock->paged_in,
                        stock->ready, stock->unsettled);
}

static uint64_t mark_of_exchange(const struct exchange *x)
{
    return sampled_mark(x->publish_in + x->publish_out, x->unroutable_returned,
                        x->unroutable_dropped);
}

void sample_begin(struct vhost *vhost)
{
    uint64_t after = 0;
    struct queue *queue;
    struct exchange *exchange;
    vhost->born_wall_ms = vhost->store.call.now.wall_ms;
    vhost->born_ready = vhost->store.ready;
    while ((queue = roster_next(&vhost->queues.roster, &after))) {
        queue->born_ready = queue->stock.ready;
        queue->sampled.mark = mark_of_queue(queue);
    }
    after = 0;
    while ((exchange = topology_next_exchange(vhost->topology, &after)))
        exchange->sampled.born_wall_ms = vhost->store.call.now.wall_ms;
}

/* ---- The walk. */

/* Whether the object comes into the walk's samples; fills in what all kinds have. */
static bool is_wanted(struct sampled *sampled, uint64_t mark, uint64_t number,
                      const struct sample_walk *walk, struct object_sample *out)
{
    bool changed = sampled->mark != mark;
    if (!changed && !(walk->all && sampled->before))
        return false;
    *out = (struct object_sample){
        .kind = walk->kind,
        .number = number,
        .born_wall_ms = sampled->born_wall_ms,
        .changed = changed,
        .before = sampled->before,
    };
    sampled->mark = mark;
    sampled->before = true;
    return true;
}

void sample_queue_numbers(const struct queue *queue, uint64_t wall_ms, struct queue_numbers *out)
{
    const struct takers *takers = &queue->takers;
    *out = (struct queue_numbers){
        .rates = queue->rates,
        .ready = queue->stock.ready,
        .unsettled = queue->stock.unsettled,
        .disk_reads = queue->stock.paged_in,
        .disk_writes = queue->stock.appended + queue->stock.paged_out,
        .able_ms = takers->able_ms,
    };
    if (takers->able_wall_ms && wall_ms > takers->able_wall_ms)
        out->able_ms += wall_ms - takers->able_wall_ms;
}

static bool sample_queue(struct vhost *vhost, struct queue *queue, const struct sample_walk *walk,
                         struct object_sample *out)
{
    if (!is_wanted(&queue->sampled, mark_of_queue(queue), queue->number, walk, out))
        return false;
    /* A consumer that cannot take is found when a message asks for it, at the latest here. */
    if (queue->takers.count && out->changed)
        (void)consumer_next(queue);
    out->born_ready = queue->born_ready;
    sample_queue_numbers(queue, vhost->store.call.now.wall_ms, &out->u.queue);
    return true;
}

static bool sample_exchange(struct exchange *x, const struct sample_walk *walk,
                            struct object_sample *out)
{
    if (!is_wanted(&x->sampled, mark_of_exchange(x), x->number, walk, out))
        return false;
    out->u.exchange = (struct exchange_numbers){x->publish_in, x->publish_out,
                                                x->unroutable_returned, x->unroutable_dropped};
    return true;
}

static bool sample_channel(struct channel *channel, const struct sample_walk *walk,
                           struct object_sample *out)
{
    uint64_t mark = sampled_mark(sum(&channel->rates), 0, 0);
    if (!is_wanted(&channel->sampled, mark, channel->number, walk, out))
        return false;
    if (out->changed)
        channel->changed_wall_ms = walk->began_wall_ms;
    out->u.channel = channel->rates;
    return true;
}

/* Asks for the memory of a queue that is looked at soon. */
static void fetch_ahead(const struct roster *roster, size_t at)
{
    if (at + FETCH_AHEAD >= roster->used)
        return;
    const struct queue *queue = roster->slots[at + FETCH_AHEAD].object;
    if (!queue)
        return;
    __builtin_prefetch(&queue->stock);
    __builtin_prefetch(&queue->rates);
    __builtin_prefetch(&queue->rates.ack);
    __builtin_prefetch(&queue->sampled.mark);
}

/* Looks at the next object of the walk's kind. Returns false when there is none; *sampled is true
 * when it has filled in *out. */
static bool look(struct vhost *vhost, struct sample_walk *walk, size_t *at,
                 struct object_sample *out, bool *sampled)
{
    if (walk->kind == SAMPLED_QUEUE) {
        fetch_ahead(&vhost->queues.roster, *at);
        struct queue *queue = roster_walk(&vhost->queues.roster, at, &walk->after);
        *sampled = queue && sample_queue(vhost, queue, walk, out);
        return queue != NULL;
    }
    if (walk->kind == SAMPLED_EXCHANGE) {
        struct exchange *exchange = topology_next_exchange(vhost->topology, &walk->after);
        *sampled = exchange && sample_exchange(exchange, walk, out);
        return exchange != NULL;
    }
    struct channel *channel = roster_walk(&vhost->channels.roster, at, &walk->after);
    *sampled = channel && sample_channel(channel, walk, out);
    return channel != NULL;
}

static size_t place_in(const struct vhost *vhost, const struct sample_walk *walk)
{
    if (walk->kind == SAMPLED_EXCHANGE)
        return 0;
    return roster_begin(
        walk->kind == SAMPLED_QUEUE ? &vhost->queues.roster : &vhost->channels.roster, walk->after);
}

size_t vhost_sample(struct vhost *vhost, struct sample_walk *walk, struct moment now,
                    struct object_sample *out, size_t max)
{
    size_t count = 0, at = place_in(vhost, walk);
    vhost_enter(vhost, now);
    if (!walk->began_wall_ms)
        walk->began_wall_ms = now.wall_ms;
    for (unsigned looks = 0; looks < SAMPLE_LOOKS_MAX && count < max && !walk->done; looks++) {
        bool sampled;
        if (look(vhost, walk, &at, &out[count], &sampled)) {
            count += sampled;
            continue;
        }
        walk->after = 0;
        if (++walk->kind == SAMPLED_OBJECTS)
            walk->done = true;
        else
            at = place_in(vhost, walk);
    }
    if (walk->done)
        vhost->channels.sampled_wall_ms = walk->began_wall_ms;
    return count;
}
