/* A connection's and a net_worker's layout: connection.c (making, closing, heartbeats), input.c
 * (reading) and flush.c (writing) share it. Only for src/net. */
#ifndef LEVERET_NET_CONNECTION_INTERNAL_H
#define LEVERET_NET_CONNECTION_INTERNAL_H

#include <sys/queue.h>

#include "leveret/net/connection.h"
#include "output.h"
#include "transport.h"

#define READ_BLOCK_BYTES (256ul * 1024)
#define READ_BYTES_FIRST (32ul * 1024) /* in one read, before it is known how large frames are */
#define READ_BYTES_EARLY (8ul * 1024)  /* … and before log-in, when next to nothing may be held */
#define READ_BYTES_MIN   (4ul * 1024)
#define READ_FRAMES      2400u /* in one read; a small message is three of them */
#define READ_FRAMES_SLOW 200u  /* … of a connection that is held back */
/* A read that brings as many bytes makes a connection one that floods. */
#define FLOOD_BYTES (32ul * 1024)
/* What the reads of connections that flood may bring in one turn, together; the read that goes over
 * it is the last one. */
#define CROWD_BYTES_TURN (4096ul * 1024)
/* So few connections of a worker cannot bring more in a turn, and none of them waits. */
#define CROWD_FEW     (CROWD_BYTES_TURN / READ_BLOCK_BYTES)
#define READ_BLOCKS   8u            /* that a worker holds on to */
#define READ_ROOM_MIN (64ul * 1024) /* of a block, for reading into it to be worth while */

/* Blocks into which sockets are read, one in use, the others perhaps still referred to by messages.
 */
struct read_blocks {
    struct buffer *all[READ_BLOCKS];
    unsigned current;
    size_t used; /* of the current one: messages may refer to what lies before */
};

struct net_worker {
    struct loop *loop;
    struct account *account; /* NULL: nothing is told */
    struct net_memory {
        uint64_t held_bytes, told_held_bytes; /* input that waits for the rest of its frame */
        uint64_t told_output_bytes;           /* of pool.allocated_bytes */
        bool short_of_readers;                /* the kind is at its limit: little is read at once */
    } memory;
    struct loop_task told;
    size_t connections;
    TAILQ_HEAD(, connection) leaving; /* the oldest first: leaving.c */
    unsigned leaving_count;
    struct read_blocks blocks;
    TAILQ_HEAD(, connection) crowd; /* crowd.c */
    struct loop_task crowd_task;
    struct output_pool pool;
    uint8_t *sink; /* where bytes for a closed connection go; made when needed */
    size_t sink_bytes;
};

#define CONNECTION_MAGIC             0xC0441EC7u
#define CONNECTION_REFUSED_LINGER_MS 1000u
#define CONNECTION_END_WAIT_MS       2000u /* for the peer to close, once it has got everything */

struct connection {
    uint32_t magic;
    unsigned paused; /* reasons of the owner's */

    /* Input. */
    bool stopped;     /* hand out no more frames: paused, told to stop, failed or closing */
    bool opened;      /* the protocol header came */
    bool held_unread; /* held has not been looked at: frames were left when handing out stopped */
    /* The connection's end. */
    bool failed;      /* handler.failed was called or is no longer wanted */
    bool ended;       /* the peer sends no more */
    bool broken;      /* nothing can be written any more */
    bool closing;     /* connection_close was called */
    bool output_shut; /* all is written and the peer has been told so */
    bool leaves;      /* connection_await_end was called: the owner is told once all is written */
    bool leaving;     /* it has been told: in worker->leaving, until the peer closes */
    bool write_waits; /* the socket is full: WATCH_WRITE is set */
    bool slow;        /* read little at a time: connection_slow */
    bool tuned;       /* connection_set_frame_max was called: no longer READ_BYTES_EARLY */
    bool floods;      /* the last read brought FLOOD_BYTES, or all that its limit allowed */
    bool crowded;     /* in worker->crowd */
    bool end_watched; /* the peer's end is looked for while reading is paused */
    uint16_t heartbeat_s;
    int broken_errno;

    struct net_worker *worker;
    struct transport transport;
    struct watch *watch;
    unsigned watched;
    uint32_t read_bytes_max;     /* in the next read */
    uint32_t held_from, held_to; /* the bytes of held that are still to be handed out */
    struct buffer *held;
    struct frame_parser parser;
    const struct connection_handler *handler;
    void *context;

    struct output output;
    size_t unreported_bytes; /* written, not yet told to the owner */

    TAILQ_ENTRY(connection) leaving_link, crowd_link;
    struct loop_task input_task, write_task, free_task;
    struct timer *timer; /* heartbeats, later the end of lingering; made when needed */
    uint64_t read_at_ms, written_at_ms, close_at_ms;

    struct connection_counters counters;
    char *name;
    struct connection_address *address;
};

/* Something that the worker tells its account of has changed. */
void net_worker_count(struct net_worker *worker);
/* Input has ended or cannot go on: tells the owner, once. */
void connection_fail(struct connection *connection, enum status status, const char *text);
/* Sets what is watched: bits to set and to clear. */
void connection_watch(struct connection *connection, unsigned set, unsigned clear);
/* Schedules the end. */
void connection_finish(struct connection *connection);
/* The end. */
void connection_destroy(struct connection *connection);
/* Has the connection's timer run out in so many milliseconds. */
void connection_set_timer(struct connection *connection, uint64_t ms);

/* input.c */
/* Whether the peer sends no more, although input is left that nobody reads. */
bool input_ended_unread(const struct connection *connection);
/* The peer has gone, and what it sent before is not wanted any more. */
void input_give_up(struct connection *connection);
void input_readable(struct connection *connection);
/* One read, and what follows from it. Returns how many bytes came. */
size_t input_read(struct connection *connection);
void input_task_run(struct loop_task *task);
void input_drop(struct connection *connection);
void read_blocks_clear(struct read_blocks *blocks);

/* crowd.c */
/* Whether the connection, which is readable, is to wait for its turn. */
bool crowd_takes(struct connection *connection);
void crowd_leave(struct connection *connection);
void crowd_task_run(struct loop_task *task);

/* flush.c */
void flush_task_run(struct loop_task *task);
void flush_schedule(struct connection *connection);

/* leaving.c */
/* All is written: the owner is told the end, and the socket waits for the peer's. */
void leaving_begin(struct connection *connection);
/* It waits no more, if it did. */
void leaving_end(struct connection *connection);
/* Closes those that wait. */
void leaving_clear(struct net_worker *worker);

#endif
