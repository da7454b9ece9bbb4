/* A message to very many queues: given to some of them in each call, so that a fanout exchange with
 * 100,000 queues does not keep a worker for the time that these take. Thread: the vhost's owner.
 *
 * Normal course: the route is worked out at once and noted as the queues' numbers; each call gives
 * the message to some of them; then it is confirmed. The channel's next command waits until then,
 * so its messages keep their order in each queue. What can go wrong: a queue is deleted meanwhile:
 * it is left out, as if it had been deleted before. The channel ends: the queues that have not got
 * the message do not get it, and it is not confirmed. */
#include "broker/vhost_state.h"
#include "leveret/base/mem.h"

struct spread {
    struct message *message;
    uint64_t needed; /* the batch that the confirm waits for */
    bool taken;      /* by all queues so far */
    size_t at, count;
    uint64_t numbers[]; /* of queues, in the vhost's roster */
};

static struct queue *queue_numbered(const struct vhost *vhost, uint64_t number)
{
    uint64_t at = number - 1;
    struct queue *queue = roster_next(&vhost->queue_roster, &at);
    return queue && at == number ? queue : NULL;
}

bool spread_begin(struct channel *channel, struct message *message,
                  const struct route_result *result, uint64_t needed)
{
    if (result->count <= vhost_left(channel->vhost, WORK_QUEUE))
        return false;
    struct spread *spread = mem_need(sizeof *spread + result->count * sizeof *spread->numbers);
    spread->message = message_ref(message);
    spread->needed = needed;
    spread->taken = true;
    spread->count = result->count;
    for (size_t i = 0; i < result->count; i++)
        spread->numbers[i] = queue_of(result->queues[i])->number;
    channel->spread = spread;
    spread_go_on(channel);
    return true;
}

void spread_go_on(struct channel *channel)
{
    struct vhost *vhost = channel->vhost;
    struct spread *spread = channel->spread;
    uint64_t left = vhost_left(vhost, WORK_QUEUE), count = 0;
    for (; count < left && spread->at < spread->count; count++) {
        struct queue *queue = queue_numbered(vhost, spread->numbers[spread->at++]);
        if (queue)
            spread->taken &= queue_publish(queue, spread->message, &spread->needed);
    }
    vhost_spend(vhost, count * WORK_QUEUE);
    if (spread->at < spread->count) {
        channel_goes_on(channel);
        return;
    }
    if (channel->confirm && spread->taken)
        promise_confirm(channel, spread->needed);
    else if (channel->confirm)
        promise_nack(channel);
    spread_free(channel);
}

void spread_free(struct channel *channel)
{
    if (!channel->spread)
        return;
    message_unref(&channel->spread->message);
    free(channel->spread);
    channel->spread = NULL;
}
