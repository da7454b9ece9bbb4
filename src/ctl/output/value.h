/* JSON values: those in the broker's answers and those that are sent to it. */
#ifndef LEVERETCTL_VALUE_H
#define LEVERETCTL_VALUE_H

#include <stdbool.h>
#include <stdio.h>

#include "leveret/base/text.h"

struct value; /* a root owns all below it; views live as long as the root */

/* Returns NULL when text is not JSON. */
struct value *value_parse(struct bytes text);
void value_free(struct value **root);

/* ---- Asking. Each function also takes NULL, for a missing value. */

enum value_kind { VALUE_NONE, VALUE_BOOL, VALUE_NUMBER, VALUE_TEXT, VALUE_LIST, VALUE_MAP };
enum value_kind value_kind_of(const struct value *value);

/* The member with this key, or below several keys joined by dots; NULL when it is missing. */
const struct value *value_get(const struct value *value, const char *path);
const struct value *value_at(const struct value *value, size_t index);
struct value *value_at_mutable(struct value *value, size_t index);
size_t value_count(const struct value *value); /* elements or keys */
/* The key with this index of a map, in the order in which they were read. */
const char *value_key_at(const struct value *value, size_t index);
/* The member with exactly this key; NULL when it is missing. */
const struct value *value_member(const struct value *value, const char *key);
bool value_true(const struct value *value);
double value_number(const struct value *value);
bool value_is_whole(const struct value *value);      /* true for a number without a fraction */
struct bytes value_bytes(const struct value *value); /* of a text */
const char *value_text(const struct value *value);   /* of a text, or NULL */
bool value_equal(const struct value *a, const struct value *b);

/* Adds the value as a person or a shell reads it: a text as it is, a number, true or false, a list
 * of texts separated by commas, everything else as JSON; nothing for null and for an
 * empty value. */
void value_show(const struct value *value, struct text *out);

/* Adds JSON in one line. */
void value_encode(const struct value *value, struct text *out);
/* Prints JSON, indented or in one line, without a line end. */
void value_print(const struct value *value, bool indented, FILE *out);

/* ---- Making. value_set and value_append take over the value that they add. */

/* Whether a text is UTF-8, which value_new_text and keys require. */
bool value_text_valid(const char *text);

struct value *value_new_map(void);
struct value *value_new_list(void);
struct value *value_new_text(const char *text);
struct value *value_new_int(int64_t number);
struct value *value_new_bool(bool on);
struct value *value_copy(const struct value *value);
void value_set(struct value *map, const char *key, struct value *below);
void value_append(struct value *list, struct value *below);

#endif
