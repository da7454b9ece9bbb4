/* The table of settings, and the functions that set them. Only settings.c uses it. Thread: one at a
 * time. */
#ifndef LEVERETD_KEYS_H
#define LEVERETD_KEYS_H

#include "settings.h"

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
