/* Where the value of each key came from. Thread: one at a time. */
#ifndef LEVERETD_ORIGIN_H
#define LEVERETD_ORIGIN_H

#include "leveretd/settings/key.h"

/* Notes that a source has set the key, or the entry `rest` of a family. */
void origin_put(struct settings *settings, const struct key *key, const char *rest,
                const char *where);
/* "default" when no source has set it. The text lives until the settings change. */
const char *origin_get(const struct settings *settings, const struct key *key, const char *rest);

/* The origins of the key's field become those that other settings have. */
void origin_copy(const struct key *key, struct settings *to, const struct settings *from);

#endif
