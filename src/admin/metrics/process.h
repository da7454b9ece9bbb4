/* What the operating system says of this process. Thread: any. */
#ifndef LEVERET_ADMIN_PROCESS_H
#define LEVERET_ADMIN_PROCESS_H

#include <stdint.h>

/* What cannot be read is 0. */
struct process_figures {
    uint64_t resident_bytes, virtual_bytes;
    uint64_t fds, fds_max; /* file descriptors that are open, and how many may be */
    uint64_t threads;
    uint64_t threads_max; /* of the whole system */
    double cpu_seconds;   /* user and system time since the start */
    unsigned processors;
};
void process_figures(struct process_figures *out);

#endif
