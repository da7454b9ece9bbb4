/* Whether a channel may use a queue: see queue_access.h. */
#include "broker/command/queue_access.h"

#include "broker/vhost_state.h"

bool queue_access_check(struct channel *channel, enum command_type command,
                        const struct queue *queue)
{
    if (!queue->owner || queue->owner == channel->peer)
        return true;
    channel_refuse(
        channel, command, STATUS_RESOURCE_LOCKED,
        "cannot obtain exclusive access to locked queue '%.*s' in vhost '%.*s'. It could "
        "be originally declared on another connection or the exclusive property value "
        "does not match that of the original declaration.",
        BYTES_PRINT(queue->endpoint.name), BYTES_PRINT(channel->set->vhost_name));
    return false;
}

struct queue *queue_access_find(struct channel *channel, enum command_type command,
                                struct bytes name, enum queue_access purpose)
{
    struct vhost *vhost = channel->vhost;
    struct queue *queue = queues_find(&vhost->queues, name);
    if (!queue) {
        if (purpose == QUEUE_ACCESS_USE)
            channel_refuse(channel, command, STATUS_NOT_FOUND, "no queue '%.*s' in vhost '%.*s'",
                           BYTES_PRINT(name), BYTES_PRINT(channel->set->vhost_name));
        return NULL;
    }
    if (!queue_access_check(channel, command, queue))
        return NULL;
    if (queue->failed && purpose == QUEUE_ACCESS_USE) {
        queue_refuse_unreadable(channel, command, queue);
        return NULL;
    }
    return queue;
}
