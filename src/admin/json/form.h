/* Forms: a JSON object whose fields are read with the types that they must have. Thread: one at a
 * time.
 *
 * A value of the wrong type is an error, and not the same as a missing field: null, a number or a
 * list in place of a string is refused, with the field's name and what was found. The first error
 * stays, as in the wire's cursor: read all fields, then ask form_ok once. For a field that is
 * missing or wrong a function returns its argument `otherwise`.
 *
 * Strings, lists and objects that are returned live as long as the JSON. */
#ifndef LEVERET_ADMIN_FORM_H
#define LEVERET_ADMIN_FORM_H

#include "admin/json/value.h"
#include "leveret/base/text.h"

/* Bytes of an error's text with its zero; a longer text is cut. */
#define FORM_WRONG_BYTES_MAX 512u

struct form {
    const struct value *object;       /* NULL: every field is missing */
    char wrong[FORM_WRONG_BYTES_MAX]; /* "durable: must be a boolean, not null"; "" for no error */
};

/* Begins to read an object; NULL has no fields. A value that is not an object is an error at once.
 */
struct form form_of(const struct value *object);
/* Returns true while no error has been noted. */
bool form_ok(const struct form *form);
/* Notes an error, "KEY: …", unless there is one already. */
void form_refuse(struct form *form, const char *key, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Notes an error when some of the keys (NULL-ended) are missing, in RabbitMQ's words:
 * "[{key_missing,a},{key_missing,b}]". */
void form_need(struct form *form, const char *const *keys);
/* Returns true when the key is there, whatever its value. */
bool form_has(const struct form *form, const char *key);

/* A boolean; the strings "true" and "false" are taken too, since RabbitMQ's tools send them. */
bool form_bool(struct form *form, const char *key, bool otherwise);
/* An integer from min to max. */
int64_t form_int(struct form *form, const char *key, int64_t otherwise, int64_t min, int64_t max);
/* An integer or a string that holds one, since RabbitMQ's tools send both. */
int64_t form_int_or_text(struct form *form, const char *key, int64_t otherwise, int64_t min,
                         int64_t max);
/* A string without a NUL, zero-ended: for users, vhosts, patterns and words. */
const char *form_text(struct form *form, const char *key, const char *otherwise);
/* A string that may hold NULs. */
struct bytes form_bytes(struct form *form, const char *key, struct bytes otherwise);
/* A string of at most NAME_BYTES_MAX bytes, which may hold NULs: names of queues and exchanges,
 * routing keys. */
struct bytes form_name(struct form *form, const char *key, struct bytes otherwise);
/* A list; NULL when it is missing. */
const struct value *form_list(struct form *form, const char *key);
/* An object; NULL when it is missing. [] is taken for an empty object, since PHP writes one so. */
const struct value *form_map(struct form *form, const char *key);
/* Appends an object, as the contents of a field table, to *out, which the caller frees; nothing
 * when the field is missing. The limits are those of arguments_read. */
void form_table(struct form *form, const char *key, struct text *out);

#endif
