/* What the operating system says of this process. Thread: any. */
#ifndef LEVERET_ADMIN_PROCESS_H
#define LEVERET_ADMIN_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What cannot be read is 0. */
struct process_figures {
    uint64_t resident_bytes, virtual_bytes;
    uint64_t file_bytes;   /* those of resident_bytes that are backed by files: the program */
    uint64_t fds, fds_max; /* file descriptors that are open, and how many may be */
    uint64_t threads;
    uint64_t threads_max; /* of the whole system */
    double cpu_seconds;   /* user and system time since the start */
    unsigned processors;
};
void process_figures(struct process_figures *out);
/* Fills in the memory and the number of threads. Descriptors are left out, since a busy broker has
 * very many of them, and so is the time of processors. */
void process_memory_figures(struct process_figures *out);

/* Counts the open descriptors in portions. */
struct fd_count {
    void *dir; /* NULL: no count is under way */
    uint64_t count;
};
void fd_count_begin(struct fd_count *fds);
/* Returns true when all have been counted. */
bool fd_count_go_on(struct fd_count *fds);
void fd_count_end(struct fd_count *fds);
static inline bool fd_count_is_open(const struct fd_count *fds)
{
    return fds->dir != NULL;
}

#endif
