/* How much memory this process has taken, and how much of the disk is free.
 *
 * Thread: any. */
#ifndef LEVERET_HOST_RESOURCES_H
#define LEVERET_HOST_RESOURCES_H

#include <stdint.h>

struct resources {
    uint64_t memory_bytes; /* the resident set of this process, without pages mapped from files */
    uint64_t disk_free_bytes; /* for an unprivileged writer; UINT64_MAX: there is no directory, or
                                 the system does not say */
};

/* data_dir: the directory whose file system is looked at; NULL: none. */
void resources_read(const char *data_dir, struct resources *out);

#endif
