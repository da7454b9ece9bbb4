/* CPU time and memory of a process and its children, from /proc. Thread: any. */
#ifndef LEVERET_PERF_PROCESS_H
#define LEVERET_PERF_PROCESS_H

#include <stdint.h>
#include <sys/types.h>

#include "leveret/base/status.h"

struct process_cost {
    double cpu_s;        /* user and system, of the process and all its living descendants */
    uint64_t rss_bytes;  /* now */
    uint64_t peak_bytes; /* highest since process_forget_peak, or since the start */
    uint64_t anon_bytes; /* the part of rss_bytes that is not backed by a file */
};

/* Errors: NOT_FOUND: no such process. */
MUST_USE enum status process_cost(pid_t pid, struct process_cost *out);
/* Resets the peak to the present size, where the kernel allows it. */
void process_forget_peak(pid_t pid);

#endif
