/* The part of dedup.h that topologies need: arguments of queues and exchanges that say how messages
 * are deduplicated. Thread: any. */
#ifndef BROKER_DEDUP_ARGUMENTS_H
#define BROKER_DEDUP_ARGUMENTS_H

#include "broker/call/refuse.h"
#include "leveret/wire/table.h"

/* Reads x-cache-size or x-cache-ttl: an integer above 0, or a string of digits. */
bool dedup_number(const struct field *field, uint64_t *out);
/* Whether a queue's arguments contain x-message-deduplication=true. */
bool dedup_asked(struct bytes arguments);
/* Whether an exchange can have these arguments. required: its type is x-message-deduplication,
 * which must have a cache size. Errors: PRECONDITION_FAILED. */
MUST_USE enum status dedup_check_exchange(struct bytes arguments, bool required,
                                          struct refusal *refusal);

#endif
