/* A connection: bytes ↔ frames on one socket. It reads without blocking into blocks that the
 * worker's connections share, cuts the input into frames, and writes the queued output with writev
 * at the end of the loop turn. It knows frames, not methods. The object that made it, its owner, is
 * called through the connection's handler.
 *
 * Thread: the loop it was made on.
 *
 * Normal course: the socket is readable → protocol header, once (handler.opened) → frames
 * (handler.frame) → … ; connection_reserve, connection_commit and connection_append_message queue
 * output; in PHASE_WRITE it is written; handler.written says how much.
 *
 * What can go wrong: a malformed frame or a hostile length: handler.failed with FRAME_ERROR (the
 * owner then sends its last words and calls connection_close). End of file, a reset, a time-out:
 * handler.failed with CLOSED or IO. A peer that does not read: the output grows; the owner looks at
 * connection_output_bytes and sends less. */
#ifndef LEVERET_NET_CONNECTION_H
#define LEVERET_NET_CONNECTION_H

#include "leveret/base/buffer.h"
#include "leveret/base/message.h"
#include "leveret/net/net_worker.h"
#include "leveret/net/tls.h"
#include "leveret/wire/frame.h"

struct connection;

/* After connection_close only closed is called. */
struct connection_handler {
    /* The 8 bytes of the protocol header have come. Return false to refuse them: then the right
     * header is written, failed is called with CLOSED, and the connection closes by itself. */
    bool (*opened)(void *context, const uint8_t header[PROTOCOL_HEADER_BYTES]);
    /* A frame, or a piece of a body frame, has come. Heartbeats on channel 0 are not handed out.
     * owner is the block in which the payload lies; a reference to it keeps it. Return false to
     * take no more frames after this one until connection_resume. */
    bool (*frame)(void *context, const struct frame *frame, struct buffer *owner);
    /* Bytes have left for the socket: so many since the last call. In PHASE_WRITE. */
    void (*written)(void *context, size_t bytes);
    /* Input has ended, and text says why (MALFORMED: the peer does not speak TLS as it should). No
     * more frames come; queued output may still be written. The owner has to call connection_close.
     * Called at most once. */
    void (*failed)(void *context, enum status status, const char *text);
    /* The last call: output is written or given up, and the socket is closed, or left to the peer
     * to close (connection_await_end). The connection must not be used any more. */
    void (*closed)(void *context);
};

/* Takes over the socket. handler must outlive the connection. Never NULL. */
struct connection *connection_new(struct net_worker *worker, int fd,
                                  const struct connection_handler *handler, void *context);
/* The same with TLS. NULL: no memory; the socket is closed. */
struct connection *connection_new_tls(struct net_worker *worker, int fd, struct tls *tls,
                                      const struct connection_handler *handler, void *context);
/* Whether it has TLS whose handshake is not over. */
bool connection_shakes_hands(const struct connection *connection);
/* Returns false when it has no TLS. To be called when the handshake is over. */
bool connection_tls(const struct connection *connection, struct tls_facts *out);
/* As tls_peer_name; false for a connection without TLS. */
bool connection_peer_name(const struct connection *connection, const struct tls_login_rule *rule,
                          char *out, size_t room);

/* The name for logs and listings: "127.0.0.1:50000 -> 127.0.0.1:5672" ("unix:…" for a Unix socket).
 * Zero-ended, valid until handler.closed has returned. */
const char *connection_name(const struct connection *connection);
struct connection_address {
    char peer_host[64], host[64];
    uint16_t peer_port, port;
    bool loopback; /* the peer is on this machine: 127.0.0.0/8, ::1, Unix socket */
};
const struct connection_address *connection_address(const struct connection *connection);

/* Sets the largest frame that is accepted, in bytes with its overhead (FRAME_EXCESS_BYTES more are
 * accepted, too); 0: as large as net allows. To be called after tune-ok; before, the limit is low.
 */
void connection_set_frame_max(struct connection *connection, uint32_t frame_max);
/* Sends a heartbeat when nothing was written for interval_s / 2. After two intervals without a byte
 * of input: handler.failed(CLOSED, "missed heartbeats from client, timeout: 60s"). Time in which
 * reading is paused does not count. 0: no heartbeats. */
void connection_set_heartbeat(struct connection *connection, uint16_t interval_s);

/* Pauses reading for a reason, a bit that the owner chooses, and ends a pause. The connection is
 * read while no bit is set. Frames that were read and not handed out are kept; after
 * connection_resume they are handed out in PHASE_APPLY, never within the call. */
void connection_pause(struct connection *connection, unsigned reason);
void connection_resume(struct connection *connection, unsigned reason);
/* on: while reading is paused, looks for the peer's end although there may be input before it. When
 * the peer has ended, that input is given up: handler.failed(CLOSED). */
void connection_watch_end(struct connection *connection, bool on);
/* slow: reads fewer frames in each turn of the loop than from other connections. */
void connection_slow(struct connection *connection, bool slow);

/* Bytes that connection_reserve gives cheaply. For more it makes an allocation. */
#define CONNECTION_RESERVE_MAX 65536u
/* Reserves room for bytes in the output; the caller fills it at once and commits as many bytes as
 * it has used. Never NULL. After connection_close the bytes are dropped. */
uint8_t *connection_reserve(struct connection *connection, size_t bytes);
void connection_commit(struct connection *connection, size_t bytes);
/* Queues bytes that lie in a message, and holds a reference to it until they are written. */
void connection_append_message(struct connection *connection, struct message *message,
                               struct bytes bytes);
/* Bytes that are queued and that the kernel has not taken yet. */
size_t connection_output_bytes(const struct connection *connection);

/* Counters for listings. */
void connection_counters(const struct connection *connection, struct connection_counters *out);

/* Ends input, writes the queued output for at most linger_ms, then closes the socket and calls
 * handler.closed (never within this call). May be called again with a shorter time. */
void connection_close(struct connection *connection, uint32_t linger_ms);
/* Milliseconds that such a socket (below) stays open for its peer. Then it is closed here. */
#define CONNECTION_LEAVING_MS 10000u
/* Such sockets of a worker. For one more the oldest is closed. */
#define CONNECTION_LEAVING_MAX 256u
/* connection_close for a peer that will close the socket itself: when all is written handler.closed
 * is called, and the socket stays open until the peer closes it. */
void connection_await_end(struct connection *connection, uint32_t linger_ms);

#endif
