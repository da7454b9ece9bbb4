/* When a log file is put aside for a new one. Thread: any. */
#ifndef LEVERET_BASE_LOG_ROTATION_H
#define LEVERET_BASE_LOG_ROTATION_H

#include <stdbool.h>
#include <stdint.h>

#include "leveret/base/status.h"

enum log_every { LOG_EVERY_NEVER, LOG_EVERY_HOUR, LOG_EVERY_DAY, LOG_EVERY_WEEK, LOG_EVERY_MONTH };

/* A point of time that comes again, in local time. */
struct log_schedule {
    enum log_every every;
    unsigned minute; /* of an hour; 0 for longer periods */
    unsigned hour;   /* of a day */
    unsigned day; /* of a week, 0 is Sunday; of a month, 1 to 31: the last day of a shorter one */
};

struct log_rotation {
    uint64_t bytes_max; /* a file that is larger is put aside; 0: no limit */
    struct log_schedule schedule;
    unsigned count; /* files that are kept aside, NAME.0 the newest; older ones are removed */
    /* Compresses a file that was put aside, as NAME.0.gz. Called on a thread of the log's own.
     * NULL: files stay as they are. */
    bool (*compress)(const char *path);
};

/* Reads RabbitMQ's forms: $D0 to $D23, $H0 to $H59, $W0 to $W6 and $M1 to $M31 or $Mlast, these two
 * with an hour behind ($W0D23). "" and "false" are never. Errors: MALFORMED. */
MUST_USE enum status log_schedule_parse(const char *text, struct log_schedule *out);

/* The first point of the schedule after this time, in seconds of wall time; 0: never. */
uint64_t log_schedule_next(const struct log_schedule *schedule, uint64_t after_s);

#endif
