/* A connection under load, which never waits: it carries bytes between the socket and its lanes.
 * Thread: the one load thread that owns it. */
#ifndef LEVERET_PERF_PEER_H
#define LEVERET_PERF_PEER_H

#include "client.h"
#include "lane.h"

struct peer {
    struct client *client;
    struct run *run;
    struct figures *figures;
    struct lane *lanes; /* for the channels 1, 2, … */
    unsigned lane_count;
    unsigned turn;        /* the lane that may send next */
    struct lane *writing; /* the lane of whose bytes the socket has taken a part */
    struct bytes rest;    /* the other part */
    uint32_t skip; /* bytes of a body frame, with its end octet, that are still to be skipped */
    struct lane *skip_lane;
    uint64_t received;       /* messages received in the current peer_read */
    bool readable, writable; /* set by the loop, cleared by EAGAIN */
    bool closed;             /* true once the broker has closed it */
};

/* Reads once and handles the frames. Errors: CLOSED, IO, MALFORMED; client->why says why. */
MUST_USE enum status peer_read(struct peer *peer);
/* Sends up to a few chunks; lowers *wake_ns to the time when more may be sent. Sets *more when it
 * stopped only to let other peers send. Errors: CLOSED, IO. */
MUST_USE enum status peer_write(struct peer *peer, uint64_t *wake_ns, bool *more);

#endif
