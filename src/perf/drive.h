/* A load thread: an epoll loop over its connections. */
#ifndef LEVERET_PERF_DRIVE_H
#define LEVERET_PERF_DRIVE_H

#include "peer.h"

/* Thread: made, filled and freed by main; between drive_start and drive_join peers and figures
 * belong to the thread (figures may be read). */
struct drive {
    struct run *run;
    struct peer *peers;
    unsigned peer_count;
    struct figures *figures;
    pthread_t thread;
    double cpu_s; /* CPU time of the thread; valid after drive_join */
};

/* Errors: IO (the system gives no thread). */
MUST_USE enum status drive_start(struct drive *drive);
void drive_join(struct drive *drive);

#endif
