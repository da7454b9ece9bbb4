/* Values of JSON that a client has sent. Thread: one at a time. */
#ifndef LEVERET_ADMIN_VALUE_H
#define LEVERET_ADMIN_VALUE_H

#include "leveret/base/bytes.h"
#include "leveret/base/status.h"
#include "leveret/base/text.h"

/* A value. The root owns all values below it; they, and views into them, live as long as it does.
 */
struct value;

/* Bytes of the reason why a text is not JSON, with its zero; a longer reason is cut. */
#define VALUE_WHY_MAX 256u

/* How many values and keys a JSON text has at most, counted without parsing it: for limits that
 * hold before memory is taken. */
size_t value_count_in(struct bytes text);
/* Parses a JSON text. It is malformed when an object has a key twice, a number fits neither 64 bits
 * nor a double, or values nest deeper than 2,048 (jansson's limit). Errors: MALFORMED, with the
 * reason in why. */
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
/* The kind of a value; VALUE_NONE for NULL, which a missing key gives. */
enum value_kind value_kind_of(const struct value *value);

/* The value of an object's key; NULL when it is missing or value is not an object. */
const struct value *value_get(const struct value *value, const char *key);
/* An element of a list; NULL beyond its end. */
const struct value *value_at(const struct value *value, size_t index);
/* How many elements a list has, or keys an object; 0 for other values. */
size_t value_count(const struct value *value);

/* The text of a string, zero-ended; NULL when value is not a string. It may hold zeros: value_bytes
 * gives all of it. */
const char *value_text(const struct value *value);
struct bytes value_bytes(const struct value *value);
int64_t value_int(const struct value *value);
double value_real(const struct value *value); /* of a real or an integer */
bool value_true(const struct value *value);

/* Appends the value as JSON, without blanks, its keys in their order. Errors: NO_MEMORY: nothing is
 * appended. */
MUST_USE enum status value_write(const struct value *value, struct text *out);

/* The same with the keys of every object sorted, so that equal values have the same text. */
MUST_USE enum status value_write_sorted(const struct value *value, struct text *out);
/* Returns true when both are the same, in whatever order their keys are. Neither may be missing. */
bool value_equal(const struct value *a, const struct value *b);

/* Calls each for the keys of an object, in their order. */
void value_each(const struct value *value,
                void (*each)(void *context, const char *key, const struct value *value),
                void *context);

#endif
