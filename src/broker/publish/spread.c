/* A message that goes to very many queues: see spread.h. */
#include "broker/publish/spread.h"

#include "leveret/base/mem.h"

struct spread {
    struct message *message;
    uint64_t needed;    /* the journal's batch that the confirm waits for */
    bool taken;         /* true while no queue has refused the message */
    size_t at, count;   /* numbers[at .. count) have not got it yet */
    uint64_t numbers[]; /* queue->number of each queue of the route */
};

/* NULL: the queue has been deleted. */
static struct queue *queue_numbered(const struct vhost *vhost, uint64_t number)
{
    uint64_t at = number - 1;
    struct queue *queue = roster_next(&vhost->queues.roster, &at);
    return queue && at == number ? queue : NULL;
}

bool spread_begin(struct channel *channel, struct message *message,
                  const struct route_result *result, uint64_t needed)
{
    if (result->count <= call_left(&channel->vhost->store.call, WORK_QUEUE))
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
    uint64_t left = call_left(&vhost->store.call, WORK_QUEUE), count = 0;
    for (; count < left && spread->at < spread->count; count++) {
        struct queue *queue = queue_numbered(vhost, spread->numbers[spread->at++]);
        if (queue)
            spread->taken &= queue_publish(queue, spread->message, &spread->needed);
    }
    call_spend(&vhost->store.call, count * WORK_QUEUE);
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
