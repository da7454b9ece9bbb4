/* The table of settings and what sets them. For settings.c alone. */
#ifndef LEVERETD_KEYS_H
#define LEVERETD_KEYS_H

#include "settings.h"

/* Sets every key to its default. */
void keys_set_defaults(struct settings *settings);
/* As settings_set. */
MUST_USE enum status keys_set(struct settings *settings, const char *key, const char *value,
                              char **why);
/* The key that an environment variable's name, without the prefix, stands for; owned, or NULL. */
char *keys_of_environment(const char *name);
/* Frees what all fields own. */
void keys_clear(struct settings *settings);

#endif
