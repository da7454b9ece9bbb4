/* The parts that a virtual host is made of. For publish/, command/ and vhost/ only: the folders
 * below them see their own part and the parts below it. Thread: the vhost's owner. */
#ifndef BROKER_VHOST_STATE_H
#define BROKER_VHOST_STATE_H

#include "broker/delay/delay.h"
#include "broker/queue/queues.h"
#include "broker/topology/route.h"

/* What is counted of clients' messages beside struct counters, so that a message to one queue with
 * a small body needs no count of its own (vhost/listing.c works the counters out). */
struct published {
    /* A body of at most [0] bytes is not counted by its size when it is published, one of at most
     * [1] bytes is counted in counters.sizes[1]; a larger one is compared with the limit and the
     * other sizes. Neither is above vhost_limits.message_bytes_max. */
    uint64_t small_bytes_max[2];
    /* Messages that were not routed: they were refused, their transaction has not been committed,
     * or their exchange was gone by then. */
    uint64_t not_routed;
    /* Queues that got a message beyond its first queue, less the messages that no queue got. */
    uint64_t routed_more;
    uint64_t too_large; /* messages that were refused for their size */
};

/* Transactions whose commit takes several calls: one at a time writes into the batch that is
 * filling. */
struct commits {
    struct channel *channel; /* its transaction is half committed; NULL: none is */
    bool in_turn; /* true: such a commit has written into the batch that is filling, so another one
                     waits until the journal has got that */
};

struct vhost {
    struct vhost_options options;
    struct vhost_tuning tuning;
    struct notices notices;
    struct store store;
    struct topology *topology;
    struct queues queues;
    struct channels channels;
    struct policies policies;
    struct dedups dedups;
    struct delays delays;
    struct route_memory *route; /* of the last message that the broker itself published; or NULL */
    /* sizes[0], routed and received_confirm stay 0 here; they are worked out when they are asked
     * for (vhost/listing.c). */
    struct counters counters;
    struct published published;
    struct commits commits;
    uint64_t born_wall_ms, born_ready; /* struct vhost_totals */
    struct text typed; /* the arguments of the queue that is being declared, with its type */
};

#endif
