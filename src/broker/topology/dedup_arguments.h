/* The arguments that say how messages are deduplicated. What they do is dedup.h's. Thread: any. */
#ifndef BROKER_DEDUP_ARGUMENTS_H
#define BROKER_DEDUP_ARGUMENTS_H

#include "broker/call/refusal.h"
#include "leveret/wire/table.h"

/* x-cache-size and x-cache-ttl: a number above 0, or one in digits. */
bool dedup_number(const struct field *field, uint64_t *out);
/* x-message-deduplication=true. */
bool dedup_asked(struct bytes arguments);
/* Whether an exchange can have these arguments; required: its type is the deduplicating one.
 * Errors: PRECONDITION_FAILED. */
MUST_USE enum status dedup_check_exchange(struct bytes arguments, bool required,
                                          struct refusal *refusal);

#endif
