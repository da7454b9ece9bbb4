/* Whether a channel may use a queue: an exclusive queue is only for the connection that declared
 * it. Thread: the vhost's owner. */
#ifndef BROKER_QUEUE_ACCESS_H
#define BROKER_QUEUE_ACCESS_H

#include "broker/queue/queues.h"

/* What a command wants a queue for. A queue that has failed may be deleted, and to delete a queue
 * that does not exist is no error. */
enum queue_access { QUEUE_ACCESS_USE, QUEUE_ACCESS_DELETE };
/* The queue that a command names, when this channel may use it; else NULL after failing the
 * channel: NOT_FOUND, RESOURCE_LOCKED, INTERNAL_ERROR (its messages cannot be read). With
 * QUEUE_ACCESS_DELETE a queue that does not exist is NULL without failing the channel. */
struct queue *queue_access_find(struct channel *channel, enum command_type command,
                                struct bytes name, enum queue_access purpose);
/* Whether this channel may use the queue. If not, fails the channel (RESOURCE_LOCKED). */
bool queue_access_check(struct channel *channel, enum command_type command,
                        const struct queue *queue);

#endif
