/* The key `compatibility`: one word that sets all keys in which RabbitMQ's versions differ. Thread:
 * one at a time.
 *
 * A key that any source sets by itself, before or after, keeps its own value. */
#ifndef LEVERETD_COMPATIBILITY_H
#define LEVERETD_COMPATIBILITY_H

#include "leveretd/settings/settings.h"

/* mixed: the defaults, which give users of each version what they need most. */
#define COMPATIBILITY_WORDS "mixed", "3.13", "4.3"

/* The version of RabbitMQ whose dialect is spoken, for the HTTP API and as the default of
 * server_properties.version. A static string. */
const char *compatibility_version(const struct settings *settings);

/* Notes that a key was set. When it is `compatibility`, sets the keys that follow it. */
void compatibility_noted(struct settings *settings, const char *key);

#endif
