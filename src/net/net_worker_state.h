/* The layout of struct net_worker, for the files of net/ only.
 *
 * Thread: the worker's loop. */
#ifndef LEVERET_NET_NET_WORKER_STATE_H
#define LEVERET_NET_NET_WORKER_STATE_H

#include <sys/queue.h>

#include "leveret/base/buffer.h"
#include "leveret/net/net_worker.h"
#include "leveret/net/tls.h"
#include "output.h"

/* Bytes of a block that sockets are read into, and the most that one read brings. */
#define READ_BLOCK_BYTES (256ul * 1024)
/* Blocks that a worker keeps. When messages refer to all of them, it gives one up to these messages
 * and makes another. */
#define READ_BLOCKS 8u

struct connection;

/* The blocks of a worker: sockets are read into the current one, messages may refer to the others.
 */
struct read_blocks {
    struct buffer *all[READ_BLOCKS];
    unsigned current;
    size_t used; /* bytes at the beginning of the current block that messages may refer to */
};

struct net_worker {
    struct loop *loop;
    struct account *account; /* NULL: nothing is told */
    struct net_memory {
        uint64_t held_bytes;        /* of input that waits for the rest of its frame */
        uint64_t told_held_bytes;   /* the same as the account knows it */
        uint64_t told_output_bytes; /* pool.allocated_bytes as the account knows it */
        bool short_of_readers; /* the kind "connection_readers" is at its limit: reads are small */
    } memory;
    struct loop_task told; /* in PHASE_FREE: tells the account */
    size_t connections;
    struct connection_counters counters; /* of all connections there ever were, but for frames */
    TAILQ_HEAD(, connection) leaving; /* the oldest first: see leaving.h */
    unsigned leaving_count;
    struct read_blocks blocks;
    struct tls_turn tls_turn;
    TAILQ_HEAD(, connection) crowd; /* see crowd.h */
    struct loop_task crowd_task;    /* in PHASE_APPLY: reads the crowd's first connections */
    struct output_pool pool;
    uint8_t *sink; /* output for connections that are closed goes here; NULL: none has come yet */
    size_t sink_bytes;
};

/* To be called after the held bytes or the pool's bytes have changed. */
void net_worker_count(struct net_worker *worker);

#endif
