/* What the threads of one load share. main writes the phase, the threads count themselves through.
 * Thread: any; the fields are atomic or constant after the start. */
#ifndef LEVERET_PERF_RUN_H
#define LEVERET_PERF_RUN_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "client.h"
#include "figures.h"
#include "options.h"

enum run_phase {
    RUN_LOAD, /* as fast as asked */
    RUN_STOP, /* publishers come to their end */
    RUN_OVER  /* threads end */
};

struct run {
    const struct options *options;
    atomic_int phase;
    unsigned publishers, consumers;  /* channels of each kind */
    atomic_uint consuming;           /* consumers that the broker has accepted */
    atomic_bool go;                  /* publishers may begin */
    atomic_uint published, consumed; /* those that have come to their end */
    _Atomic uint64_t published_ns;   /* when the last publisher had */
    _Atomic uint64_t received_ns;    /* when the last message came, about */
    atomic_bool failed;
    pthread_mutex_t lock; /* of why */
    char why[CLIENT_WHY_MAX];
};

/* Notes what went wrong; the first one wins. */
void run_fail(struct run *run, const char *why);

/* Publishers and consumers as the options say. Returns the program's exit status. */
int run_load(const struct options *options);

#endif
