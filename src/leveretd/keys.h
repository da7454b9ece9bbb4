/* The table of settings and what sets them. For config.c alone. */
#ifndef LEVERETD_KEYS_H
#define LEVERETD_KEYS_H

#include "config.h"

/* Sets every key to its default. */
void keys_set_defaults(struct config *config);
/* As config_set. */
MUST_USE enum status keys_set(struct config *config, const char *key, const char *value,
                              char **why);
/* The key that an environment variable's name, without the prefix, stands for; owned, or NULL. */
char *keys_of_environment(const char *name);
/* Frees what all fields own. */
void keys_clear(struct config *config);

#endif
