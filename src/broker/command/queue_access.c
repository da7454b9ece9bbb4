/* Who may use a queue: see queue_access.h. */
#include "broker/vhost_state.h"

bool check_lock(struct channel *channel, enum command_type command, const struct queue *queue)
{
    if (!queue->owner || queue->owner == channel->peer)
        return true;
    channel_refuse(
        channel, command, STATUS_RESOURCE_LOCKED,
        "cannot obtain exclusive access to locked queue '%.*s' in vhost '%.*s'. It could "
        "be originally declared on another connection or the exclusive property value "
        "does not match that of the original declaration.",
        BYTES_PRINT(queue->endpoint.name), BYTES_PRINT(channel->vhost->name));
    return false;
}

struct queue *find_queue(struct channel *channel, enum command_type command, struct bytes name,
                         enum find_queue purpose)
{
    struct vhost *vhost = channel->vhost;
    struct queue *queue = vhost_queue(vhost, name);
    if (!queue) {
        if (purpose == FIND_TO_USE)
            channel_refuse(channel, command, STATUS_NOT_FOUND, "no queue '%.*s' in vhost '%.*s'",
                           BYTES_PRINT(name), BYTES_PRINT(vhost->name));
        return NULL;
    }
    if (!check_lock(channel, command, queue))
        return NULL;
    if (queue->failed && purpose == FIND_TO_USE) {
        fail_unreadable(channel, command, queue);
        return NULL;
    }
    return queue;
}
