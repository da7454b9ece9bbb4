/* Samples: the numbers of a vhost's objects that have changed since they were last looked at, for
 * rates and history. Thread: the vhost's owner. */
#ifndef LEVERET_BROKER_SAMPLE_H
#define LEVERET_BROKER_SAMPLE_H

#include "leveret/broker/vhost.h"

enum sampled_object { SAMPLED_QUEUE, SAMPLED_EXCHANGE, SAMPLED_CHANNEL, SAMPLED_OBJECTS };

/* The numbers of a queue that are sampled. */
struct queue_numbers {
    struct rates rates;
    uint64_t ready, unsettled; /* messages */
    uint64_t disk_reads, disk_writes;
    uint64_t able_ms; /* milliseconds in which a ready message could have gone to a consumer */
};
struct exchange_numbers {
    uint64_t publish_in, publish_out, unroutable_returned, unroutable_dropped;
};

struct object_sample {
    enum sampled_object kind;
    uint64_t number;       /* unique among the vhost's objects of this kind */
    uint64_t born_wall_ms; /* when it was made or recovered */
    uint64_t born_ready;   /* ready messages of a queue that was recovered with them */
    bool changed;          /* true: since its last sample, or its birth */
    bool before;           /* true: this is not its first sample */
    union {
        struct queue_numbers queue;
        struct exchange_numbers exchange;
        struct rates channel;
    } u;
};

/* A walk over all objects of a vhost, in several calls; zeros begin it. */
struct sample_walk {
    bool all;  /* set by the caller. true: objects that have been in a sample come again, changed or
                  not */
    bool done; /* set by vhost_sample: all objects have been looked at */
    enum sampled_object kind;
    uint64_t after;
    uint64_t began_wall_ms;
};
/* Objects that one call of vhost_sample looks at. */
#define SAMPLE_LOOKS_MAX 2000u

/* Goes on with a walk: looks at some of the objects, and fills in up to max samples of those that
 * have changed. Returns how many. */
size_t vhost_sample(struct vhost *vhost, struct sample_walk *walk, struct moment now,
                    struct object_sample *out, size_t max);

#endif
