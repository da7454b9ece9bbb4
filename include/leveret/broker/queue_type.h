/* Types of queues, their names, and the type of a queue whose declaration does not say it. Thread:
 * any; no state. */
#ifndef LEVERET_BROKER_QUEUE_TYPE_H
#define LEVERET_BROKER_QUEUE_TYPE_H

#include "leveret/base/bytes.h"
#include "leveret/base/text.h"

/* QUEUE_STREAM has a name, but no queue of this type can be made yet. */
enum queue_type { QUEUE_CLASSIC, QUEUE_QUORUM, QUEUE_STREAM };
#define QUEUE_TYPE_COUNT 3u

/* The name of a type as the argument x-queue-type has it: "classic", "quorum", "stream". Static. */
const char *queue_type_name(enum queue_type type);

/* Reads such a name, or the name that RabbitMQ's definitions may have instead
 * ("rabbit_quorum_queue"). False: there is no such type. */
bool queue_type_read(struct bytes name, enum queue_type *out);

/* The arguments of a declaration with x-queue-type in them: the same arguments when they have it;
 * else a copy with by_default added, written into scratch, whose contents are replaced. arguments:
 * a checked table's contents. */
struct bytes queue_type_fill(struct bytes arguments, enum queue_type by_default,
                             struct text *scratch);

#endif
