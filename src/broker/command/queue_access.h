/* Who may use a queue. Thread: the vhost's owner. */
#ifndef BROKER_QUEUE_ACCESS_H
#define BROKER_QUEUE_ACCESS_H

#include "broker/queue/queues.h"

/* The queue that a command names, when this channel may use it. Fails the channel and returns NULL:
 * NOT_FOUND, RESOURCE_LOCKED, INTERNAL_ERROR (its messages cannot be read). To delete it, the queue
 * may have failed; when it is not there, NULL is returned and the channel goes on. */
enum queue_access { QUEUE_ACCESS_USE, QUEUE_ACCESS_DELETE };
struct queue *queue_access_find(struct channel *channel, enum command_type command,
                                struct bytes name, enum queue_access purpose);
/* Whether the channel's peer may use the queue: if not, fails the channel (RESOURCE_LOCKED). */
bool queue_access_check(struct channel *channel, enum command_type command,
                        const struct queue *queue);

#endif
