/* The tables of settings, and the functions that set them. Only settings.c uses it. Thread: one at
 * a time. */
#ifndef LEVERETD_KEYS_H
#define LEVERETD_KEYS_H

#include "leveretd/settings/key.h"

/* Walks through all keys: the first for NULL, then the next; NULL at the end. */
const struct key *keys_next(const struct key *key);
bool keys_is_family(const struct key *key);
/* Whether an earlier key of the tables sets the same field. */
bool keys_is_another_name(const struct key *key);
/* The key that a name of the configuration means; *rest is what its first $ stands for, and all
 * behind. NULL: none. */
const struct key *keys_find(const char *name, const char **rest);

/* Sets every key to its default. */
void keys_set_defaults(struct settings *settings);
/* As settings_set. */
MUST_USE enum status keys_set(struct settings *settings, const char *key, const char *value,
                              char **why);
/* As settings_differences, settings_take_live. */
void keys_differences(const struct settings *now, const struct settings *wanted, struct text *live,
                      struct text *waiting);
void keys_take_live(struct settings *to, const struct settings *from);
/* The key that an environment variable sets, given its name without the prefix; the caller frees
 * it. NULL: none. */
char *keys_of_environment(const char *name);
/* Frees the memory that the fields own. */
void keys_clear(struct settings *settings);

#endif
