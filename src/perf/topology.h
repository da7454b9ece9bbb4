/* The exchange and the queues that a load uses: their names, declaring and deleting them. Thread:
 * the main thread, before and after the load; any may ask for names. */
#ifndef LEVERET_PERF_TOPOLOGY_H
#define LEVERET_PERF_TOPOLOGY_H

#include "client.h"
#include "options.h"

/* Bytes of a name or key with its zero. */
#define TOPOLOGY_NAME_MAX 256u

/* The name of the queue with this index, which is below options->queues; zero-ended. */
void topology_queue(const struct options *options, unsigned index, char out[TOPOLOGY_NAME_MAX]);
/* The routing key that reaches this queue (before --keys appends to it). */
void topology_key(const struct options *options, unsigned index, char out[TOPOLOGY_NAME_MAX]);

/* Declare and bind, or delete, exchange and queues on channel 1 of client, unless --predeclared.
 * Errors: those of client_call; client->why says why. */
MUST_USE enum status topology_make(const struct options *options, struct client *client);
MUST_USE enum status topology_unmake(const struct options *options, struct client *client);

#endif
