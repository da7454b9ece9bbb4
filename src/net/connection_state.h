/* The layout of struct connection, for the files of net/ only, and the functions of connection.c
 * that these files share.
 *
 * Thread: the connection's. */
#ifndef LEVERET_NET_CONNECTION_STATE_H
#define LEVERET_NET_CONNECTION_STATE_H

#include "leveret/net/connection.h"
#include "leveret/net/transport.h"
#include "net_worker_state.h"

#define CONNECTION_MAGIC 0xC0441EC7u

struct connection {
    uint32_t magic;
    unsigned paused; /* the owner's reasons, as bits; 0: it is read */

    /* Input. */
    bool stopped;     /* no frame is handed out: paused, told to stop, failed or closing */
    bool opened;      /* the protocol header has come */
    bool held_unread; /* held may have whole frames: handing out stopped before its end */
    /* The connection's end. */
    bool failed;      /* handler.failed was called */
    bool ended;       /* the peer sends no more */
    bool broken;      /* nothing can be written any more */
    bool closing;     /* connection_close was called */
    bool output_shut; /* all is written and the peer has been told that this was all */
    bool leaves;      /* connection_await_end was called, and handler.closed not yet */
    bool leaving; /* handler.closed was called; it is in worker->leaving until the peer closes */
    bool write_waits; /* the socket is full, or the turn's share is used up: WATCH_WRITE is set */
    bool slow;        /* connection_slow: its reads are small */
    bool tuned;       /* connection_set_frame_max was called: the client has logged in */
    bool floods;      /* the last read brought much: see crowd.h */
    bool crowded;     /* it is in worker->crowd */
    bool end_watched; /* the peer's end is looked for while reading is paused */
    uint16_t heartbeat_s;
    int broken_errno; /* of the write that set broken */

    struct net_worker *worker;
    struct transport transport;
    struct watch *watch;
    unsigned watched;            /* what watch is set to, as bits of enum watch_events */
    uint32_t read_bytes_max;     /* of the next read */
    uint32_t held_from, held_to; /* the bytes of held that are still to be handed out */
    struct buffer *held;         /* input that was not handed out; NULL: there is none */
    struct frame_parser parser;
    const struct connection_handler *handler;
    void *context;

    struct output output;
    size_t unreported_bytes; /* written, and the owner has not been told yet */

    TAILQ_ENTRY(connection) leaving_link, crowd_link;
    struct loop_task input_task, write_task, free_task;
    struct timer *timer; /* for heartbeats, later for close_at_ms; NULL before it is needed */
    uint64_t read_at_ms, written_at_ms;
    uint64_t close_at_ms; /* UINT64_MAX before connection_close */

    struct connection_counters counters;
    char *name;
    struct connection_address *address;
};

/* Input has ended or cannot go on: calls handler.failed, unless it was called before or the
 * connection is closing. */
void connection_fail(struct connection *connection, enum status status, const char *text);
/* Changes what the socket is watched for: bits of enum watch_events to set and to clear. */
void connection_watch(struct connection *connection, unsigned set, unsigned clear);
/* Destroys the connection at the end of the turn. */
void connection_finish(struct connection *connection);
/* Closes the socket, calls handler.closed and frees the connection, at once. */
void connection_destroy(struct connection *connection);
/* Sets the connection's timer, which it makes when there is none. */
void connection_set_timer(struct connection *connection, uint64_t ms);

#endif
