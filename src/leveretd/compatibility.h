/* The key `compatibility`: one word that sets all keys in which RabbitMQ's versions differ. Thread:
 * one at a time.
 *
 * A key that is set by itself, before or after, in any source, keeps what it was set to. */
#ifndef LEVERETD_COMPATIBILITY_H
#define LEVERETD_COMPATIBILITY_H

#include "settings.h"

/* mixed: the defaults, what each version's users need most. */
#define COMPATIBILITY_WORDS "mixed", "3.13", "4.3"

/* The version of RabbitMQ whose dialect is spoken, for the HTTP API; a constant. It is also the
 * default of server_properties.version. */
const char *compatibility_version(const struct settings *settings);

/* A key was set. When it is `compatibility`, the others follow it. */
void compatibility_noted(struct settings *settings, const char *key);

#endif
