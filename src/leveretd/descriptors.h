/* How the process's file descriptors are shared out: first the journal's, then HTTP's, and what is
 * left is AMQP's. Thread: the main thread. */
#ifndef LEVERETD_DESCRIPTORS_H
#define LEVERETD_DESCRIPTORS_H

#include <stddef.h>
#include <stdint.h>

struct descriptors {
    uint64_t limit;   /* the process's limit of open files */
    uint64_t journal; /* databases, their tables, the log, event loops, listeners */
    uint64_t http;    /* connections to the API and to metrics */
    uint64_t amqp;    /* connections of AMQP clients */
};

/* Divides limit. http_wanted: the HTTP connections that the settings allow. */
void descriptors_plan(uint64_t limit, size_t vhosts, uint64_t http_wanted, struct descriptors *out);

#endif
