/* The log as the settings want it. Thread: one at a time. */
#ifndef LEVERETD_LOGGING_H
#define LEVERETD_LOGGING_H

#include "leveret/base/log.h"
#include "leveretd/settings/settings.h"

/* Fills in the options; out->path is valid until the caller frees *path, which may be NULL. */
void logging_options(const struct settings *settings, struct log_options *out, char **path);

/* Compresses a file as PATH.gz and removes it; one that cannot be compressed stays. */
bool logging_compress(const char *path);

#endif
