/* What the files of the HTTP server share: http.c (servers and connections), http_input.c (requests
 * in), http_output.c (bytes out), http_answer.c (answers). For these files only. Thread: the main
 * thread.
 *
 * A connection serves one request at a time:
 *
 *   HEAD ─ head whole ─► BODY ─ body whole ─► HELD ─ answer written ─► HEAD …
 *     │                    │                    ▲
 *     └ refused ─► DISCARD ┴ (a short body is read and dropped)
 *   any ─ answer written, connection not kept ─► LINGER ─ peer closes, or time ─► gone
 *
 * Nothing is read in HELD, so the requests that a client sends before it has the answer stay in the
 * kernel. */
#ifndef LEVERET_ADMIN_HTTP_INTERNAL_H
#define LEVERET_ADMIN_HTTP_INTERNAL_H

#include <sys/queue.h>

#include "admin/http/chunks.h"
#include "admin/http/head.h"
#include "admin/http/http.h"
#include "admin/http/request.h"
#include "leveret/base/account.h"
#include "leveret/net/address.h"
#include "leveret/net/listener.h"
#include "leveret/net/tls.h"

/* Bytes that one call reads; the rest is read in the next turn. */
#define READ_BYTES 65536u

/* Bytes of a body that is read and dropped when the request was refused, so that the connection can
 * be kept; when the body is longer the connection is closed after the answer. */
#define DISCARD_BYTES_MAX 65536u
/* A client that got the last answer of a connection may take this many milliseconds to close it,
 * and send this many bytes before; then it is closed here. */
#define LINGER_MS        2000u
#define LINGER_BYTES_MAX (1u << 20)
/* In each window of so many milliseconds a client must send, or take, at least so many bytes; and a
 * whole body must come within BODY_MS_MAX. A client that is slower is disconnected. */
#define WINDOW_MS        30000u
#define WINDOW_BYTES_MIN 16384u
#define BODY_MS_MAX      900000u
/* Bytes of a streamed answer that the client has not taken; with more, http_stream_full says so. */
#define STREAM_BYTES_HIGH 262144u

enum input_state { INPUT_HEAD, INPUT_BODY, INPUT_DISCARD, INPUT_HELD, INPUT_LINGER };

/* Bytes to be written; freed once the socket has taken them. */
struct http_piece {
    STAILQ_ENTRY(http_piece) entry;
    struct text text;
};

struct http_connection {
    uint32_t magic;
    struct http_server *server;
    int fd; /* the transport's; -1 once it is closed */
    struct transport transport;
    struct watch *watch;
    struct timer *timer; /* for the state, or for the answer: timer_writes */
    struct connection_address address;
    LIST_ENTRY(http_connection) entry; /* in the server's list, newest first */
    struct loop_task write_task, free_task;

    /* In. */
    enum input_state input;
    struct text in;          /* read, and neither a head nor a body's part yet */
    size_t scanned;          /* how far in has been searched for a head's end */
    uint64_t body_left;      /* bytes to come of a body that has a length */
    struct chunks chunks;    /* how far a body in chunks has been read */
    bool chunked;            /* true when the body comes in chunks */
    bool expects;            /* true when the client waits for "100 Continue" to send its body */
    struct request *request; /* waits for its answer; NULL: none does */

    /* Out. */
    STAILQ_HEAD(, http_piece) pieces;
    size_t sent;           /* bytes of the first piece that are written */
    size_t out_bytes;      /* bytes of all pieces that are not written yet */
    struct packer *packer; /* packs the answer; NULL: it is sent as it is */
    struct text unpacked;  /* a whole answer that is packed in portions: from unpacked_at on */
    size_t unpacked_at;
    bool is_head;             /* true for a HEAD request: the answer's body is dropped */
    bool minor_0;             /* true when the client speaks HTTP/1.0 */
    bool keep_alive;          /* false: the connection is closed after the answer */
    bool answered;            /* true once the answer has been begun */
    bool streaming;           /* true while the answer is a stream that has not ended */
    struct request *streamer; /* whose stream it is; NULL: there is none, or the request is gone */
    void (*more)(struct request *request); /* see http_stream_wait; NULL: nobody waits */

    /* Time. */
    uint64_t since_ms;         /* when the state began */
    uint64_t window_bytes;     /* read, or written, since the window began */
    uint64_t body_deadline_ms; /* when the body must be whole */
    bool timer_writes;         /* true while the timer runs for the client to take the answer */

    size_t held_in, held_out; /* bytes that the account was told, of requests and of answers */
};
#define HTTP_CONNECTION_MAGIC 0x477C0447u

struct http_server {
    struct admin *admin;
    struct loop *loop;
    struct listener *listener;
    struct http_limits limits;
    enum http_purpose purpose;
    struct http_service service;
    LIST_HEAD(, http_connection) connections;
    unsigned connection_count;
    struct tls *tls; /* NULL: it speaks none */
    struct tls_turn tls_turn;
    uint64_t full_logged_ms; /* when the log last said that a connection was refused; 0: never */
    uint8_t scratch[READ_BYTES]; /* what one call reads, of any connection */
};

/* ---- http.c */
/* Closes the socket now and frees the connection at the end of the turn. */
void http_connection_close(struct http_connection *connection);
/* Tells the account what the connection holds now. */
void http_connection_count(struct http_connection *connection);

/* ---- http_input.c */
/* Reads what the client has sent. */
void http_input_readable(struct http_connection *connection);
/* Goes on after an answer is written: with the next request, or with the connection's end. */
void http_input_next(struct http_connection *connection);
/* The client has not sent in time what the state waits for. */
void http_input_late(struct http_connection *connection);
/* Returns true when what is left of the body is short enough to be read and dropped. */
bool http_input_is_short(const struct http_connection *connection);
/* Enters the state: whether the socket is read, and how long the client has. */
void http_input_enter(struct http_connection *connection, enum input_state state);

/* ---- http_output.c */
/* Writes what waits to be written; the task is write_task. */
void http_output_run(struct loop_task *task);
/* Queues bytes; the text is taken and left empty. */
void http_output_queue(struct http_connection *connection, struct text *text);
/* Queues a text as it is: "100 Continue". */
void http_output_plain(struct http_connection *connection, const char *text);
/* Drops what waits to be written. */
void http_output_clear(struct http_connection *connection);
/* A window of time is over in which the client should have taken the answer. */
void http_output_late(struct http_connection *connection);

/* ---- http_answer.c */
/* Packs a portion of a whole answer that is packed in portions; does nothing without one. */
void http_answer_go_on(struct http_connection *connection);
/* Queues an answer to a head that cannot be read: there is no request. */
void http_output_error(struct http_connection *connection, int code);

#endif
