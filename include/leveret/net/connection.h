/* A connection: bytes ↔ frames on one socket. It reads without blocking into blocks that the
 * worker's connections share, cuts frames, and writes what was queued with writev at the end of the
 * loop turn. It knows frames, not methods.
 *
 * Thread: the loop it was made on.
 *
 * Normal course: readable → protocol header once (handler.opened) → frames (handler.frame) → … ;
 * connection_reserve/commit and connection_append_message queue output; flushed in PHASE_WRITE;
 * when bytes have left for the socket handler.written. What can go wrong: a malformed frame or a
 * hostile length → handler.failed with FRAME_ERROR (the owner then says goodbye and calls
 * connection_close); end of file, reset, time-out → handler.failed with CLOSED or IO; a peer that
 * does not read → output_bytes grows: the owner watches connection_output_bytes and holds back
 * deliveries. */
#ifndef LEVERET_NET_CONNECTION_H
#define LEVERET_NET_CONNECTION_H

#include "leveret/base/account.h"
#include "leveret/base/buffer.h"
#include "leveret/base/message.h"
#include "leveret/runtime/loop.h"
#include "leveret/wire/frame.h"

struct connection;
struct net_worker; /* what one loop's connections share: read blocks, pools */

/* account: told once a turn what the connections hold; NULL: nothing is told. Never NULL. */
struct net_worker *net_worker_new(struct loop *loop, struct account *account);
void net_worker_free(struct net_worker **worker);

/* After connection_close none but closed is called. */
struct connection_handler {
    /* The 8 bytes of the protocol header came. Return false to refuse: the correct header is
     * written and the connection closed by net (handler.failed with CLOSED follows). */
    bool (*opened)(void *context, const uint8_t header[PROTOCOL_HEADER_BYTES]);
    /* A frame, or a piece of a body frame; heartbeats on channel 0 are net's own and not handed
     * out. owner is the block in which payload lies: take a
     * reference to keep it. Return false to stop for now: nothing more is handed out until
     * connection_resume (the frame counts as taken). */
    bool (*frame)(void *context, const struct frame *frame, struct buffer *owner);
    /* Bytes have left: how many since the last call. Once for each flush, from PHASE_WRITE. */
    void (*written)(void *context, size_t bytes);
    /* Input has ended: text says why in words. No more frames; queued output may still be written.
     * The owner calls connection_close. Called at most once. */
    void (*failed)(void *context, enum status status, const char *text);
    /* All is flushed or given up, and the socket is closed, or left to the peer to close
     * (connection_await_end): the last call. The connection is not to be used after it. */
    void (*closed)(void *context);
};

/* Takes the socket. handler must outlive the connection. Never NULL. */
struct connection *connection_new(struct net_worker *worker, int fd,
                                  const struct connection_handler *handler, void *context);

/* Names for logs and listings: "127.0.0.1:50000 -> 127.0.0.1:5672" ("unix:…" for Unix sockets).
 * Zero-ended, valid as long as the connection. */
const char *connection_name(const struct connection *connection);
struct connection_address {
    char peer_host[64], host[64];
    uint16_t peer_port, port;
    bool loopback; /* the peer is on this machine: 127.0.0.0/8, ::1, Unix socket */
};
const struct connection_address *connection_address(const struct connection *connection);

/* After tune: the largest frame accepted, in bytes with overhead (and FRAME_EXCESS_BYTES more). */
void connection_set_frame_max(struct connection *connection, uint32_t frame_max);
/* Heartbeats every interval_s / 2 when nothing else was written; two intervals without a byte of
 * input: handler.failed(CLOSED, "missed heartbeats from client, timeout: 60s"). 0: off. While
 * reading is paused input is not missed. */
void connection_set_heartbeat(struct connection *connection, uint16_t interval_s);

/* Reading: paused for a reason (a bit of the owner's choosing); reads while no bit is set. Frames
 * that have been read but not handed out stay until then. connection_resume hands them out in
 * PHASE_APPLY, never from inside the call. */
void connection_pause(struct connection *connection, unsigned reason);
void connection_resume(struct connection *connection, unsigned reason);
/* While it is paused: whether the peer's end is looked for although input is left that nobody
 * reads. When it comes, that input is given up: handler.failed(CLOSED). */
void connection_watch_end(struct connection *connection, bool on);
/* Fewer frames in each turn of the loop than others get, or as many again. */
void connection_slow(struct connection *connection, bool slow);

/* Writing. Room for bytes in the output, to be filled at once and committed with the number used.
 * Never NULL; cheap up to CONNECTION_RESERVE_MAX, an allocation above. After connection_close the
 * bytes go nowhere. */
#define CONNECTION_RESERVE_MAX 65536u
uint8_t *connection_reserve(struct connection *connection, size_t bytes);
void connection_commit(struct connection *connection, size_t bytes);
/* Queues bytes that lie in a message (one reference is taken until they are written). */
void connection_append_message(struct connection *connection, struct message *message,
                               struct bytes bytes);
/* Bytes queued and not yet taken by the kernel. */
size_t connection_output_bytes(const struct connection *connection);

/* Counters for listings. */
struct connection_counters {
    uint64_t received_bytes, sent_bytes, received_frames;
};
void connection_counters(const struct connection *connection, struct connection_counters *out);

/* No more input; what is queued is written for at most linger_ms, then the socket is closed and
 * handler.closed called (never from inside this call). May be called again with a shorter time. */
void connection_close(struct connection *connection, uint32_t linger_ms);
/* The same for a peer that has said that it is leaving: once all is written handler.closed is
 * called, and the socket stays open until the peer closes it, at most CONNECTION_LEAVING_MS. A
 * worker has at most CONNECTION_LEAVING_MAX such sockets; beyond, it closes the oldest. */
#define CONNECTION_LEAVING_MS  10000u
#define CONNECTION_LEAVING_MAX 256u
void connection_await_end(struct connection *connection, uint32_t linger_ms);

#endif
