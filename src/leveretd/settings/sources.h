/* All sources of the configuration, in order: each overrides those before it. The file, or the
 * default file and the folder conf.d beside it; the environment; --set. What RabbitMQ's variables
 * say counts only where no other source says anything. Thread: one at a time. */
#ifndef LEVERETD_SOURCES_H
#define LEVERETD_SOURCES_H

#include "leveretd/settings/settings.h"

struct sources {
    const char *path; /* a file or a folder; NULL: RabbitMQ's variables, or the default file */
    const char *const *assignments;
    size_t assignment_count;
    char *const *environment;
};

/* Reads all sources again. *out, which the caller frees, is made even when the report is not
 * good. */
void sources_read(const struct sources *sources, struct settings **out, struct report *report);

#endif
