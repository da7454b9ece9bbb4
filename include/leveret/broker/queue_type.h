/* Types of queues, their names, and the type of a queue whose declaration does not say it. Thread:
 * any; no state. */
#ifndef LEVERET_BROKER_QUEUE_TYPE_H
#define LEVERET_BROKER_QUEUE_TYPE_H

#include "leveret/base/bytes.h"
#include "leveret/base/text.h"

/* QUEUE_STREAM has a name, and no queue of it can be made yet. */
enum queue_type { QUEUE_CLASSIC, QUEUE_QUORUM, QUEUE_STREAM };
#define QUEUE_TYPE_COUNT 3u

/* "classic", "quorum", "stream": the argument x-queue-type; static. */
const char *queue_type_name(enum queue_type type);

/* Reads such a name, or the one that RabbitMQ's definitions may have instead
 * ("rabbit_quorum_queue"). False: there is no such type. */
bool queue_type_read(struct bytes name, enum queue_type *out);

/* The arguments of a declaration with x-queue-type: as they are when they have it, else with the
 * type by default, written into scratch, whose contents are replaced. arguments: a checked table's
 * contents. */
struct bytes queue_type_fill(struct bytes arguments, enum queue_type by_default,
                             struct text *scratch);

#endif
