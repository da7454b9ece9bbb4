/* What the operating system says of this process. Any thread. */
#ifndef LEVERET_ADMIN_PROCESS_H
#define LEVERET_ADMIN_PROCESS_H

#include <stdint.h>

struct process_figures {
    uint64_t resident_bytes, virtual_bytes;
    uint64_t fds, fds_max;
    uint64_t threads, threads_max;
    double cpu_seconds;
    unsigned processors;
};
void process_figures(struct process_figures *out);

#endif
