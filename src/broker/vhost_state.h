/* A virtual host: the parts that it is made of. For publish/, command/ and vhost/ only; what stands
 * below them sees its own part and those below. Thread: the vhost's owner. */
#ifndef BROKER_VHOST_STATE_H
#define BROKER_VHOST_STATE_H

#include "broker/delay/delay.h"
#include "broker/queue/queues.h"
#include "broker/topology/route.h"

/* What is counted of clients' messages while they are published, beside struct counters. */
struct published {
    uint64_t small_bytes_max[2]; /* bodies up to [0] are not counted, those up to [1] are of
                                    counters.sizes[1], and larger ones are looked at */
    /* Messages that were not routed: refused, in a transaction that is open or was rolled back, or
     * to an exchange that has gone. And queues that got a message beyond its first one, less the
     * messages that none got. */
    uint64_t not_routed, routed_more;
    uint64_t too_large; /* messages that were refused for their size */
};

/* Transactions that are committed in portions: one at a time has the batch that is filling. */
struct commits {
    struct channel *channel; /* its transaction is half committed; NULL: none is */
    bool in_turn; /* true: one was in this turn, so that the batch is to go before another begins */
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
    struct route_memory *route; /* of what the broker itself publishes; NULL: none yet */
    struct counters
        counters; /* but for what costs a message less when it is worked out when somebody
                     asks: sizes[0], routed, received_confirm (vhost/listing.c) */
    struct published published;
    struct commits commits;
    struct text typed; /* the arguments of the queue that is being declared, with its type */
};

#endif
