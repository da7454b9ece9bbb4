/* What the files of the HTTP server share: http.c (server, accepting), http_input.c (requests in),
 * http_output.c (answers out). Nobody else includes it. Thread: main.
 *
 * A connection serves one request at a time:
 *
 *   HEAD ─ head whole ─► BODY ─ body whole ─► HELD ─ answer written ─► HEAD …
 *     │                    │                    ▲
 *     └ refused ─► DISCARD ┴ (a short body that nobody wants is read over)
 *   any ─ answer written, not to be kept ─► LINGER ─ peer closes, or time ─► gone
 *
 * Nothing is read in HELD, so what a client sends ahead stays in the kernel. */
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

#define READ_BYTES 65536u /* in one call */

/* A body that nobody wants and that is no longer than this is read over, so that the connection
 * can be kept; the connection closes after its answer otherwise. */
#define DISCARD_BYTES_MAX 65536u
/* A client that is sent the last answer may take this long to close, and send this much. */
#define LINGER_MS        2000u
#define LINGER_BYTES_MAX (1u << 20)
/* In each window a client must send, or take, at least that much; and a body may take so long in
 * all. A client that is slower is disconnected. */
#define WINDOW_MS        30000u
#define WINDOW_BYTES_MIN 16384u
#define BODY_MS_MAX      900000u
/* A streamed answer pauses above this many bytes not yet taken by the client. */
#define STREAM_BYTES_HIGH 262144u

enum input_state { INPUT_HEAD, INPUT_BODY, INPUT_DISCARD, INPUT_HELD, INPUT_LINGER };

/* Bytes to write: one text, freed when it is out. */
struct http_piece {
    STAILQ_ENTRY(http_piece) entry;
    struct text text;
};

struct http_connection {
    uint32_t magic;
    struct http_server *server;
    int fd;
    struct watch *watch;
    struct timer *timer; /* for deadline_ms */
    struct connection_address address;
    LIST_ENTRY(http_connection) entry; /* the server's; newest first */
    struct loop_task write_task, free_task;

    /* In. */
    enum input_state input;
    struct text in;       /* read and not yet taken: a head, or what came behind one */
    size_t scanned;       /* of in, for head_length */
    uint64_t body_left;   /* of a body with a length */
    struct chunks chunks; /* of one without */
    bool chunked, expects;
    struct request *request; /* that waits for its answer; NULL: none does */

    /* Out. */
    STAILQ_HEAD(, http_piece) pieces;
    size_t sent;      /* of the first piece */
    size_t out_bytes; /* in all pieces */
    bool is_head;     /* true for HEAD: an answer's body is dropped */
    bool minor_0, keep_alive;
    bool answered;  /* the answer has been begun */
    bool streaming; /* and is not complete */
    void (*more)(struct request *request);
    struct request *streamer; /* more's */

    /* Time. */
    uint64_t since_ms; /* the state began */
    uint64_t window_bytes;
    uint64_t body_deadline_ms;
    bool timer_writes; /* the timer's window is for taking the answer */

    size_t held_in, held_out; /* told to the account */
};
#define HTTP_CONNECTION_MAGIC 0x477C0447u

struct http_server {
    struct admin *admin;
    struct loop *loop;
    struct listener *listener;
    struct http_limits limits;
    bool metrics_only;
    struct http_service service;
    LIST_HEAD(, http_connection) connections;
    unsigned connection_count;
    uint64_t full_logged_ms;
    uint8_t scratch[READ_BYTES];
};

/* ---- http.c */
/* Closes the socket now and frees the connection at the end of the turn. */
void http_connection_close(struct http_connection *connection);
/* Tells the account what the connection holds now. */
void http_connection_count(struct http_connection *connection);

/* ---- http_input.c */
void http_input_readable(struct http_connection *connection);
/* The answer has left: the next request, or the end. */
void http_input_next(struct http_connection *connection);
/* The time set for the input's state is over. */
void http_input_late(struct http_connection *connection);
/* Whether what is left of the body is short enough to be read over when nobody wants it. */
bool http_input_is_short(const struct http_connection *connection);
/* Sets reading and time as the state wants it. */
void http_input_enter(struct http_connection *connection, enum input_state state);

/* ---- http_output.c */
void http_output_run(struct loop_task *task);
/* Bytes as they are, taken: "100 Continue". */
void http_output_plain(struct http_connection *connection, const char *text);
void http_output_clear(struct http_connection *connection);
/* Half a minute has passed since writing began or was last looked at. */
void http_output_late(struct http_connection *connection);
/* An answer without a request: to a head that cannot be read. */
void http_output_error(struct http_connection *connection, int code);

#endif
