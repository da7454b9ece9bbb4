/* Between AMQP's field tables and JSON. Any one thread. */
#ifndef LEVERET_ADMIN_ARGUMENTS_H
#define LEVERET_ADMIN_ARGUMENTS_H

#include "answer.h"
#include "leveret/wire/table.h"
#include "value.h"

/* Writes a checked table's contents as an object under key. */
void arguments_write(struct answer *answer, const char *key, struct bytes table);

/* Appends a JSON object's keys to a table's contents. A missing or null value is an empty table.
 * Errors: MALFORMED (no object, a key above 255 bytes), LIMIT (nested too deep). */
MUST_USE enum status arguments_read(const struct value *object, struct text *out);

/* The short text that tells apart two bindings of the same ends and key: a hash of the arguments
 * that does not depend on their order, base64url, zero-ended. */
#define ARGUMENTS_HASH_LEN 11
void arguments_hash(struct bytes table, char out[ARGUMENTS_HASH_LEN + 1]);

#endif
