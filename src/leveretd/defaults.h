/* What the configuration says of new nodes, new vhosts and passwords, in the form of auth_options.
 * Thread: the main thread. */
#ifndef LEVERETD_DEFAULTS_H
#define LEVERETD_DEFAULTS_H

#include "leveret/auth/auth.h"
#include "leveretd/settings/settings.h"

struct defaults;

/* Fills in the options' defaults, rules and tags. What they point to belongs to the settings and to
 * *out, and must outlive the directory. */
void defaults_make(const struct settings *settings, struct auth_options *options,
                   struct defaults **out);
void defaults_free(struct defaults **defaults);

#endif
