/* Names of queues and exchanges as clients give them.
 *
 * Thread: the worker of the session. */
#ifndef LEVERET_SESSION_ENTITY_NAME_H
#define LEVERET_SESSION_ENTITY_NAME_H

#include "leveret/wire/cursor.h"
#include "leveret/wire/method.h"

struct session_channel;

/* Bytes for a name with a zero behind it. */
#define ENTITY_NAME_ROOM (NAME_BYTES_MAX + 1)

/* The pseudo-queue of direct replies; the names of its addresses begin with it. */
#define REPLY_TO_QUEUE "amq.rabbitmq.reply-to"

/* Checks that a name, which will be kept and shown, is UTF-8. Returns false when it is not: then
 * the session has been failed. */
bool entity_name_check_text(struct session_channel *channel, struct bytes name);
/* The name without carriage returns and line feeds: RabbitMQ reads names in declarations, deletions
 * and bindings so. A view of the name itself, or of room. */
struct bytes entity_name_strip(struct bytes name, uint8_t room[ENTITY_NAME_ROOM]);
/* Replaces an empty queue name by the name that the channel declared last. Returns false when there
 * is none: then the channel has been failed (404). */
bool entity_name_resolve(struct session_channel *channel, struct bytes *queue,
                         enum method_id method);

#endif
