/* A count of each message of a queue, in the core's own chunks. Apart from sim.h, which has other
 * things of the same names. Thread: one. */
#ifndef SIM_RECOUNT_H
#define SIM_RECOUNT_H

#include "leveret/base/bytes.h"

struct vhost;

struct recounted {
    uint64_t messages, persistent, ram, ready_ram; /* ram: those in memory */
    uint64_t bytes, persistent_bytes, ram_bytes;   /* of bodies */
};
/* Counts; the queue must be there. */
void recount_queue(struct vhost *vhost, struct bytes name, struct recounted *out);

#endif
