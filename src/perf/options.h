/* The options of the command line: read once by main, then constant. Thread: any. */
#ifndef LEVERET_PERF_OPTIONS_H
#define LEVERET_PERF_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "leveret/base/text.h"
#include "secure.h"
#include "target.h"

/* The largest values of options; the command line refuses more. */
#define OPTIONS_CLIENTS_MAX  100000u
#define OPTIONS_CHANNELS_MAX 2047u
#define OPTIONS_THREADS_MAX  64u
#define OPTIONS_NAMES_MAX    1000000u
#define OPTIONS_SIZE_MAX     (1u << 30)
#define OPTIONS_WINDOW_MAX   10000000u

enum options_mode {
    MODE_LOAD, /* publishers and consumers */
    MODE_IDLE, /* connections that do nothing */
    MODE_CHURN /* the same object made and deleted again and again */
};

enum churn_what { CHURN_CONNECTION, CHURN_CHANNEL, CHURN_QUEUE, CHURN_BINDING, CHURN_BIND };

struct options {
    enum options_mode mode;
    enum churn_what churn;
    struct target target;
    bool tls;                     /* true: --tls */
    struct secure_options secure; /* what --cacert and so on say */
    const char *id;               /* the test's name in the output */

    unsigned producers, consumers;                 /* connections */
    unsigned producer_channels, consumer_channels; /* channels on each of them */
    unsigned idle;                                 /* number of connections in MODE_IDLE */
    unsigned threads;

    unsigned size_bytes;
    double rate;      /* messages a second of each publisher; 0: no limit */
    unsigned confirm; /* most unconfirmed publishes; 0: no confirms */
    unsigned tx;      /* publishes, and acks, in a transaction; 0: none */
    bool persistent, mandatory;
    uint64_t pmessages; /* messages of each publisher; 0: no limit */
    bool stamped;       /* true when bodies carry the time, to measure latencies */

    bool auto_ack;
    unsigned ack_every, prefetch;
    uint64_t cmessages; /* messages of each consumer; 0: no limit */

    const char *exchange, *type, *key, *binding_key, *queue;
    unsigned queues, keys;
    bool durable, predeclared, keep;
    struct text queue_arguments; /* a table's contents */

    double seconds, warmup_s; /* seconds 0: the load ends when the counts are reached */
    double interval_s;        /* between lines of live figures; 0: none are printed */
    const char *json;         /* a path, "-" for standard output, NULL: none */
    pid_t broker_pid;         /* 0: not given */
};

/* Reads argv; ends the program with a message when it is wrong, or after --help. */
void options_read(struct options *options, int argc, char **argv);

#endif
