/* The types of keys: how a value is read, compared and freed. Thread: one at a time. */
#ifndef LEVERETD_KEY_TYPES_H
#define LEVERETD_KEY_TYPES_H

#include "leveretd/settings/key.h"

/* Names of one list; a key that would add one more is refused. */
#define KEY_NAMES_MAX 256u

/* Reads the value into the key's field. rest names the entry of a family. Returns NULL, or what is
 * wrong with the value: a static text, or *made, which the caller frees. */
const char *key_read(const struct key *key, struct settings *settings, const char *rest,
                     const char *value, char **made);
bool key_same(const struct key *key, const struct settings *a, const struct settings *b);
void key_copy(const struct key *key, struct settings *to, const struct settings *from);
/* Appends the value as text, "***" for a secret. rest names the entry of a family, and is not used
 * else. */
void key_print(const struct key *key, const struct settings *settings, const char *rest,
               struct text *out);
/* The list that the key's field is; NULL: it is not a list. */
const struct setting_names *key_names(const struct key *key, const struct settings *settings);
bool key_is_secret(const struct key *key);
/* Frees the memory that the field owns. */
void key_clear(const struct key *key, struct settings *settings);

#endif
