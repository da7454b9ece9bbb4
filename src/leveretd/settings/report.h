/* What reading the configuration found: a line of text for each thing that an operator should know,
 * with the place where it stands. Nothing secret is in it. Thread: one at a time. */
#ifndef LEVERETD_REPORT_H
#define LEVERETD_REPORT_H

#include <stdbool.h>
#include <stddef.h>

enum finding_kind {
    FINDING_ERROR,    /* an unknown key, a malformed value, a file that cannot be read */
    FINDING_MISSING,  /* a key of RabbitMQ that asks for what Leveret does not have */
    FINDING_NEEDLESS, /* a key of RabbitMQ that has no effect here, and needs none */
    FINDING_WARNING,  /* all else that is worth a line */
};
struct finding {
    enum finding_kind kind;
    char *text; /* "leveret.conf:3: heartbeat must be a whole number" */
};
struct report {
    struct finding *items;
    size_t count;
    /* True with config.lenient: what is missing is a warning then, and not an error. */
    bool lenient;
};

void report_add(struct report *report, enum finding_kind kind, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void report_free(struct report *report);

/* Whether the finding prevents a start. */
bool report_is_error(const struct report *report, const struct finding *finding);
/* True when no finding prevents a start. */
bool report_is_good(const struct report *report);
size_t report_count(const struct report *report, enum finding_kind kind);

#endif
