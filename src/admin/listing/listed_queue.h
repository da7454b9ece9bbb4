/* What is told of a queue in listings and metrics beside the numbers of struct queue_info. Thread:
 * the main thread. */
#ifndef LEVERET_ADMIN_LISTED_QUEUE_H
#define LEVERET_ADMIN_LISTED_QUEUE_H

#include "admin/listing/stats.h"

/* "classic", "quorum", or what its declaration said. A view into the info's arguments, or static.
 */
struct bytes listed_queue_type(const struct queue_info *queue);
bool listed_queue_is_quorum(const struct queue_info *queue);

/* The queue's numbers as they are sampled. */
void listed_queue_values(const struct queue_info *queue, uint64_t values[QUEUE_NUMBERS]);
/* What is told of it now: see stats_tell. Free with told_free. */
void listed_queue_tell(const struct request *request, struct bytes vhost,
                       const struct queue_info *queue, const uint64_t values[QUEUE_NUMBERS],
                       unsigned wanted, struct told *out);
/* The part of the last interval, from 0 to 1, in which a ready message could have gone to a
 * consumer at once; 0 for a queue without consumers. */
double listed_queue_capacity(const struct queue_info *queue, const struct told *told);

#endif
