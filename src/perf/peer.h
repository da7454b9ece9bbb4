/* A connection under load, without waiting: bytes from the socket to its lanes and back.
 * Thread: the one load thread that owns it. */
#ifndef LEVERET_PERF_PEER_H
#define LEVERET_PERF_PEER_H

#include "client.h"
#include "lane.h"

struct peer {
    struct client *client;
    struct run *run;
    struct figures *figures;
    struct lane *lanes; /* of the channels 1, 2, … */
    unsigned lane_count;
    unsigned turn;        /* the lane that may send next */
    struct lane *writing; /* the lane whose bytes the socket has taken in part */
    struct bytes rest;    /* … and what it has not */
    uint32_t skip;        /* bytes of a body frame that are still to be passed over, with its end */
    struct lane *skip_lane;
    uint64_t received;       /* messages in the present read */
    bool readable, writable; /* as far as known; the loop sets them, EAGAIN clears them */
    bool closed;             /* by the broker */
};

/* Reads once and handles what came. Errors: CLOSED, IO, MALFORMED; client->why says why. */
MUST_USE enum status peer_read(struct peer *peer);
/* Sends what may be sent, up to a few chunks; lowers *wake_ns to the time when more may be. Sets
 * *more when it stopped for fairness only. Errors: CLOSED, IO. */
MUST_USE enum status peer_write(struct peer *peer, uint64_t *wake_ns, bool *more);

#endif
