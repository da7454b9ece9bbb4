/* Arguments: AMQP's field tables, from and to JSON. Thread: one at a time. */
#ifndef LEVERET_ADMIN_ARGUMENTS_H
#define LEVERET_ADMIN_ARGUMENTS_H

#include "admin/json/answer.h"
#include "admin/json/value.h"
#include "leveret/wire/table.h"

/* Writes a checked table's contents as an object under key. */
void arguments_write(struct answer *answer, const char *key, struct bytes table);

/* Keys and elements, at all depths together, of a JSON object that becomes a table; one with more
 * is refused. */
#define ARGUMENTS_ENTRIES_MAX 4096u
/* Bytes of the contents of a table that a JSON object becomes; a longer one is refused. */
#define ARGUMENTS_BYTES_MAX ((size_t)1 << 20)

/* Appends the fields of a JSON object to a table's contents; none when object is NULL, a missing
 * value. After an error *out may hold a part of them. Errors: MALFORMED (it is no object, or a key
 * is longer than NAME_BYTES_MAX), LIMIT (nested too deep, too many entries or bytes). */
MUST_USE enum status arguments_read(const struct value *object, struct text *out);
/* An error of arguments_read in words for the client. */
const char *arguments_wrong(enum status status);

/* Writes a hash of a table, as base64url, zero-ended. Two bindings of the same ends and routing key
 * are told apart by it. The order of the fields does not change it. */
#define ARGUMENTS_HASH_LEN 11
void arguments_hash(struct bytes table, char out[ARGUMENTS_HASH_LEN + 1]);

#endif
