/* What the connections of one loop share: blocks that sockets are read into, blocks for output, and
 * the memory that is counted for them.
 *
 * Thread: the loop it was made for. */
#ifndef LEVERET_NET_NET_WORKER_H
#define LEVERET_NET_NET_WORKER_H

#include "leveret/base/account.h"
#include "leveret/runtime/loop.h"

struct net_worker;

/* account: is told once a turn what the connections hold; NULL: nothing is told. Never NULL. */
struct net_worker *net_worker_new(struct loop *loop, struct account *account);
/* All connections must be gone, except those that were left to their peers to close
 * (connection_await_end): these are closed now. */
void net_worker_free(struct net_worker **worker);

struct connection_counters {
    uint64_t received_bytes, sent_bytes, received_frames;
    uint64_t reads, writes; /* of the socket that have moved bytes */
};
/* The counters of all connections that there ever were, but for frames, which are 0. */
void net_worker_counters(const struct net_worker *worker, struct connection_counters *out);

#endif
