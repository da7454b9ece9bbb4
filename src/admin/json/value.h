/* What clients send: JSON read into values that can be asked. Any one thread. */
#ifndef LEVERET_ADMIN_VALUE_H
#define LEVERET_ADMIN_VALUE_H

#include "leveret/base/bytes.h"
#include "leveret/base/status.h"
#include "leveret/base/text.h"

struct value; /* a value; the root owns all below it, and views live as long as the root */

/* Bytes of a reason why a text is no JSON, its zero included. */
#define VALUE_WHY_MAX 256u

/* At most how many values and keys a JSON text has, counted without reading it: for limits that
 * hold before anything is made of it. */
size_t value_count_in(struct bytes text);
/* Reads a JSON text. A key may stand only once in an object, numbers fit 64 bits or a double, and
 * nesting has an end (jansson's 2,048). Errors: MALFORMED, with the reason in why. */
MUST_USE enum status value_parse(struct bytes text, struct value **out, char why[VALUE_WHY_MAX]);
void value_free(struct value **root);

enum value_kind {
    VALUE_NONE,
    VALUE_NULL,
    VALUE_BOOL,
    VALUE_INT,
    VALUE_REAL,
    VALUE_TEXT,
    VALUE_LIST,
    VALUE_MAP
};
/* The kind of a value; VALUE_NONE for NULL, so that a missing key can be asked too. */
enum value_kind value_kind_of(const struct value *value);

/* A key of an object; NULL when it is missing or value is no object. */
const struct value *value_get(const struct value *value, const char *key);
/* An element of an array; NULL beyond the end. */
const struct value *value_at(const struct value *value, size_t index);
size_t value_count(const struct value *value); /* elements or keys; 0 for others */

/* Text of a string; NULL when it is none. Zero-ended; may hold zeros when taken as bytes. */
const char *value_text(const struct value *value);
struct bytes value_bytes(const struct value *value);
int64_t value_int(const struct value *value);
double value_real(const struct value *value); /* of an integer too */
bool value_true(const struct value *value);

/* Appends the value as JSON without blanks, keys in their order. Errors: NO_MEMORY, and then
 * nothing is appended. */
MUST_USE enum status value_write(const struct value *value, struct text *out);

/* Calls each() for the keys of an object in their order. */
void value_each(const struct value *value,
                void (*each)(void *context, const char *key, const struct value *value),
                void *context);

#endif
