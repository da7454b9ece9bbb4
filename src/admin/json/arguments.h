/* Between AMQP's field tables and JSON. Any one thread. */
#ifndef LEVERET_ADMIN_ARGUMENTS_H
#define LEVERET_ADMIN_ARGUMENTS_H

#include "admin/json/answer.h"
#include "admin/json/value.h"
#include "leveret/wire/table.h"

/* Writes a checked table's contents as an object under key. */
void arguments_write(struct answer *answer, const char *key, struct bytes table);

/* Keys and elements of one JSON object that becomes a table, at all depths together. More are
 * refused before the table is built further. */
#define ARGUMENTS_ENTRIES_MAX 4096u
/* Bytes of the table's contents that a JSON object may become. */
#define ARGUMENTS_BYTES_MAX ((size_t)1 << 20)

/* Appends a JSON object's keys to a table's contents, none for NULL (a missing value); on an error
 * *out holds a part of them.
 * Errors: MALFORMED (no object, a key above NAME_BYTES_MAX), LIMIT (nested too deep, too many
 * entries or bytes). */
MUST_USE enum status arguments_read(const struct value *object, struct text *out);
/* What an error of arguments_read says to the client. */
const char *arguments_wrong(enum status status);

/* The short text that tells apart two bindings of the same ends and key: a hash of the arguments
 * that does not depend on their order, base64url, zero-ended. */
#define ARGUMENTS_HASH_LEN 11
void arguments_hash(struct bytes table, char out[ARGUMENTS_HASH_LEN + 1]);

#endif
