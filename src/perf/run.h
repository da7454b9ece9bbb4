/* The state that the threads of one load share. main sets the phase; the threads count how many of
 * them have reached its end. Thread: any; the fields are atomic or constant after the start. */
#ifndef LEVERET_PERF_RUN_H
#define LEVERET_PERF_RUN_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "client.h"
#include "figures.h"
#include "options.h"

enum run_phase {
    RUN_LOAD, /* the load is sent at the rate that was asked for */
    RUN_STOP, /* publishers finish */
    RUN_OVER  /* threads end */
};

struct run {
    const struct options *options;
    atomic_int phase;
    unsigned publishers, consumers;  /* number of channels of each kind */
    atomic_uint consuming;           /* number of consumers that the broker has accepted */
    atomic_bool go;                  /* true when publishers may begin */
    atomic_uint published, consumed; /* number of lanes that have finished */
    _Atomic uint64_t published_ns;   /* when the last publisher finished */
    _Atomic uint64_t received_ns;    /* roughly when the last message arrived */
    atomic_bool failed;
    pthread_mutex_t lock; /* guards why */
    char why[CLIENT_WHY_MAX];
};

/* Notes an error and ends the run; only the first error is kept. */
void run_fail(struct run *run, const char *why);

/* Runs a load of publishers and consumers. Returns the program's exit status. */
int run_load(const struct options *options);

#endif
