/* Part of http: requests in.
 *
 * Normal course: bytes are gathered until a head is whole; it becomes a request, and the service's
 * begin says whether the body is wanted; the body is gathered, and the service's handle is called.
 * What can go wrong: a head that is malformed, too long or too slow; a body longer than the path
 * allows (413), longer than the account has room for (503), or slower than WINDOW_BYTES_MIN a
 * window; a request that is refused before its body has come (a short body is read and dropped;
 * with a long one the connection is closed after the answer). */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "admin/http/http_internal.h"
#include "admin/http/respond.h"
#include "leveret/base/mem.h"

static struct account *account_of(const struct http_connection *c)
{
    return c->server->admin->account;
}

static void drop_input(struct http_connection *c, size_t len)
{
    c->in.len -= len;
    if (c->in.len)
        memmove(c->in.at, c->in.at + len, c->in.len);
    else
        text_free(&c->in); /* an idle connection holds no buffer */
}

void http_input_enter(struct http_connection *c, enum input_state state)
{
    const struct http_limits *limits = &c->server->limits;
    bool reads = state != INPUT_HELD;
    uint64_t now = loop_now_ms(c->server->loop);
    c->input = state;
    c->since_ms = now;
    c->window_bytes = 0;
    watch_set(c->watch, (enum watch_events)((reads ? WATCH_READ : WATCH_NONE) |
                                            (c->timer_writes ? WATCH_WRITE : WATCH_NONE)));
    if (c->timer_writes)
        return; /* the timer runs for the answer */
    switch (state) {
    case INPUT_HEAD:
        timer_set(c->timer, c->in.len ? limits->request_ms : limits->idle_ms);
        break;
    case INPUT_BODY:
        c->body_deadline_ms = now + BODY_MS_MAX;
        timer_set(c->timer, WINDOW_MS);
        break;
    case INPUT_DISCARD:
        timer_set(c->timer, limits->request_ms);
        break;
    case INPUT_LINGER:
        timer_set(c->timer, LINGER_MS);
        break;
    case INPUT_HELD:
        timer_clear(c->timer);
        break;
    }
}

/* ---- A head becomes a request. */

static char *copy(struct bytes text)
{
    return text.at ? mem_need_text(text.at, text.len) : NULL;
}

/* An absolute URI (a proxy's form) is cut down to its path. */
static struct bytes path_of(struct bytes target)
{
    const uint8_t *scheme = target.len ? memmem(target.at, target.len, "://", 3) : NULL;
    if (target.at[0] == '/' || !scheme)
        return target;
    const uint8_t *end = target.at + target.len;
    const uint8_t *slash = memchr(scheme + 3, '/', (size_t)(end - scheme - 3));
    return slash ? bytes_of(slash, (size_t)(end - slash)) : bytes_of("/", 1);
}

/* What of a path is below management.path_prefix, on the API's port: "" for the prefix itself. A
 * path that is not below it becomes NO_PATH, which no route fits. */
#define NO_PATH "*"
static struct bytes below_prefix(const struct http_server *server, struct bytes path)
{
    const char *prefix = server->admin->options.path_prefix;
    size_t len = prefix && server->purpose == HTTP_API ? strlen(prefix) : 0;
    if (len == 0)
        return path;
    if (!bytes_start_with(path, prefix) || (path.len > len && path.at[len] != '/'))
        return BYTES_LITERAL(NO_PATH);
    return bytes_of(path.at + len, path.len - len);
}

static struct request *make_request(struct http_connection *c, const struct head *head)
{
    struct request *r = request_new(c->server->admin);
    struct bytes path = path_of(head->target), query = bytes_of("", 0);
    const uint8_t *mark = memchr(path.at, '?', path.len);
    if (mark) {
        query = bytes_of(mark + 1, path.len - (size_t)(mark - path.at) - 1);
        path.len = (size_t)(mark - path.at);
        const uint8_t *hash = query.len ? memchr(query.at, '#', query.len) : NULL;
        if (hash)
            query.len = (size_t)(hash - query.at);
    }
    r->http = c;
    r->method = head->method;
    path = below_prefix(c->server, path);
    r->path = mem_need_text(path.at, path.len);
    r->query = mem_need_text(query.at, query.len);
    r->authorization = copy(head->authorization);
    r->reason = copy(head->reason);
    r->content_type = copy(head->content_type);
    r->accept = copy(head->accept);
    r->origin = copy(head->origin);
    r->cookie = copy(head->cookie);
    r->if_none_match = copy(head->if_none_match);
    r->takes_gzip = head->takes_gzip;
    r->by_page = head->by_page;
    memcpy(r->peer, c->address.peer_host, sizeof r->peer);
    r->port = http_port(c->server);
    r->secure = http_speaks_tls(c->server);
    r->loopback = c->address.loopback;
    r->on_metrics_port = c->server->purpose == HTTP_METRICS;
    r->by_control = c->server->purpose == HTTP_CONTROL && !r->authorization;
    return r;
}

bool http_input_is_short(const struct http_connection *c)
{
    return !c->chunked && c->body_left <= DISCARD_BYTES_MAX && !c->expects;
}

/* Drops a body that is not wanted, or closes the connection after the answer. */
static void discard_body(struct http_connection *c)
{
    bool short_one = http_input_is_short(c);
    if (!short_one)
        c->keep_alive = false;
    http_input_enter(c, short_one && c->body_left ? INPUT_DISCARD : INPUT_HELD);
}

static void begin_request(struct http_connection *c, const struct head *head)
{
    struct request *r = make_request(c, head);
    c->request = r;
    c->answered = false;
    c->is_head = head->method == METHOD_HEAD;
    c->minor_0 = head->minor_0;
    c->keep_alive = head->keep_alive;
    c->chunked = head->chunked;
    c->chunks = (struct chunks){.state = CHUNK_SIZE};
    c->body_left = head->body_bytes;
    c->expects = head->expects && (head->chunked || head->body_bytes);
    if (!c->server->service.begin(r)) {
        discard_body(c);
    } else if (c->body_left > r->body_bytes_max) {
        respond_error(r, 413, "bad_request", "the request's body is longer than this path takes");
        discard_body(c);
    } else {
        if (c->expects && !c->minor_0)
            http_output_plain(c, "HTTP/1.1 100 Continue\r\n\r\n");
        http_input_enter(c, INPUT_BODY);
    }
}

/* Takes a head from what was read, if it is whole. Returns false when more bytes are needed or the
 * connection ends. */
static bool take_head(struct http_connection *c)
{
    size_t blank = 0;
    while (blank < c->in.len && (c->in.at[blank] == '\r' || c->in.at[blank] == '\n'))
        blank++;
    if (blank) {
        drop_input(c, blank);
        c->scanned = 0;
    }
    if (c->in.len == 0)
        return false;
    size_t len = head_length(text_bytes(&c->in), &c->scanned);
    if (len == 0) {
        if (c->in.len >= HEAD_BYTES_MAX)
            http_output_error(c, memchr(c->in.at, '\n', c->in.len) ? 431 : 414);
        return false;
    }
    struct head head;
    int code = head_read(bytes_of(c->in.at, len), &head);
    c->scanned = 0;
    if (code) {
        http_output_error(c, code);
        return false;
    }
    begin_request(c, &head); /* copies what it needs */
    drop_input(c, len);
    return true;
}

/* ---- A body. */

static void refuse_body(struct http_connection *c, int code, const char *error, const char *reason)
{
    c->keep_alive = false;
    respond_error(c->request, code, error, reason);
    http_input_enter(c, INPUT_HELD);
}

/* Adds a part of the body. Returns false when the body is too long or the account has no room, and
 * has answered. */
static bool add_body(struct http_connection *c, struct bytes piece)
{
    struct text *body = &c->request->body;
    if (piece.len > c->request->body_bytes_max - body->len) {
        refuse_body(c, 413, "bad_request", "the request's body is longer than this path takes");
        return false;
    }
    if (piece.len > body->room - body->len) {
        /* The text grows by doubling, and keeps its old bytes until they are copied. */
        size_t more = body->room > piece.len ? body->room : piece.len;
        if (!account_take(account_of(c), ACCOUNT_HTTP_REQUESTS, more)) {
            refuse_body(c, 503, "service_unavailable",
                        "requests hold as much memory as they may: try again later");
            return false;
        }
        account_add(account_of(c), ACCOUNT_HTTP_REQUESTS, -(int64_t)more);
    }
    text_add(body, piece.at, piece.len);
    http_connection_count(c);
    return true;
}

static void body_complete(struct http_connection *c)
{
    http_input_enter(c, INPUT_HELD);
    c->server->service.handle(c->request);
}

/* Moves *in on. In C not even 0 may be added to a view's pointer that is NULL. */
static void skip(struct bytes *in, size_t len)
{
    if (len)
        *in = bytes_of(in->at + len, in->len - len);
}

/* Takes what there is of a body from *in. Returns false when more bytes are needed or the body was
 * refused. */
static bool take_body(struct http_connection *c, struct bytes *in)
{
    if (c->chunked) {
        struct bytes piece;
        for (;;) {
            switch (chunks_next(&c->chunks, in, &piece)) {
            case CHUNKS_PIECE:
                if (!add_body(c, piece))
                    return false;
                break;
            case CHUNKS_MORE:
                return false;
            case CHUNKS_DONE:
                body_complete(c);
                return true;
            case CHUNKS_BAD:
                refuse_body(c, 400, "bad_request",
                            "the chunks of the request's body are malformed");
                return false;
            }
        }
    }
    size_t len = in->len < c->body_left ? in->len : (size_t)c->body_left;
    if (len && !add_body(c, bytes_of(in->at, len)))
        return false;
    skip(in, len);
    c->body_left -= len;
    if (c->body_left)
        return false;
    body_complete(c);
    return true;
}

static void discard(struct http_connection *c, struct bytes *in)
{
    size_t len = in->len < c->body_left ? in->len : (size_t)c->body_left;
    skip(in, len);
    c->body_left -= len;
    if (c->body_left == 0)
        http_input_enter(c, INPUT_HELD);
}

/* ---- From state to state. */

/* Goes on as long as the bytes that were read take it to another state. */

static void advance(struct http_connection *c)
{
    bool goes_on = true;
    while (goes_on && c->fd >= 0) {
        struct bytes in = text_bytes(&c->in);
        size_t before = in.len;
        switch (c->input) {
        case INPUT_HEAD:
            goes_on = take_head(c);
            continue;
        case INPUT_BODY:
            goes_on = take_body(c, &in);
            break;
        case INPUT_DISCARD:
            discard(c, &in);
            goes_on = c->input != INPUT_DISCARD;
            break;
        default:
            goes_on = false;
        }
        if (before != in.len)
            drop_input(c, before - in.len);
    }
    if (c->fd < 0)
        return;
    if (c->input == INPUT_HELD) /* the request may have been answered already */
        loop_at_end(c->server->loop, PHASE_WRITE, &c->write_task);
    http_connection_count(c);
}

/* Takes a body's bytes to the request without a stay in the connection. */
static void take_direct(struct http_connection *c, struct bytes in)
{
    if (c->input == INPUT_BODY)
        (void)take_body(c, &in);
    else
        discard(c, &in);
    text_add_bytes(&c->in, in);
    advance(c);
}

/* How a client of TLS begins: a handshake record (RFC 8446, 5.1). */
#define TLS_RECORD 0x16

static void log_fault(const struct http_connection *c, const char *text)
{
    log_line(c->server->admin->options.log, LOG_WARNING, "http", "port %u: %s: %s",
             http_port(c->server), c->address.peer_host, text);
}

static void peer_ended(struct http_connection *c)
{
    http_connection_close(c);
}

void http_input_readable(struct http_connection *c)
{
    size_t room = READ_BYTES;
    if (c->fd < 0 || c->input == INPUT_HELD)
        return;
    if (c->input == INPUT_HEAD)
        room = c->in.len < HEAD_BYTES_MAX ? HEAD_BYTES_MAX - c->in.len : 1;
    if (c->server->tls && room < TRANSPORT_READ_MIN)
        room = TRANSPORT_READ_MIN;
    ssize_t n = c->transport.ops->read(&c->transport, c->server->scratch, room);
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) {
        if (c->transport.wants_write)
            watch_set(c->watch, (enum watch_events)(WATCH_READ | WATCH_WRITE));
        return;
    }
    if (n > 0 && c->input == INPUT_HEAD && c->in.len == 0 && c->server->scratch[0] == TLS_RECORD) {
        log_fault(c, "the client speaks TLS, and this port does not");
        n = 0;
    }
    if (n <= 0) {
        const char *fault = transport_fault(&c->transport);
        if (fault)
            log_fault(c, fault);
        peer_ended(c);
        return;
    }
    c->window_bytes += (size_t)n;
    struct bytes in = bytes_of(c->server->scratch, (size_t)n);
    switch (c->input) {
    case INPUT_HEAD:
        if (c->in.len == 0 && !c->timer_writes)
            timer_set(c->timer, c->server->limits.request_ms);
        text_add_bytes(&c->in, in);
        advance(c);
        break;
    case INPUT_LINGER:
        if (c->window_bytes > LINGER_BYTES_MAX)
            http_connection_close(c);
        break;
    default:
        if (c->in.len) {
            text_add_bytes(&c->in, in);
            advance(c);
        } else {
            take_direct(c, in);
        }
    }
}

void http_input_next(struct http_connection *c)
{
    if (!c->keep_alive) {
        c->transport.ops->shut_output(&c->transport);
        text_free(&c->in);
        http_input_enter(c, INPUT_LINGER);
        return;
    }
    http_input_enter(c, INPUT_HEAD);
    advance(c);
}

/* Ends a connection that has brought no request: one that has been idle, or whose handshake takes
 * too long, which the log tells. */
static void end_silent(struct http_connection *c)
{
    char text[80];
    if (transport_is_tls(&c->transport) && !tls_is_ready(&c->transport)) {
        snprintf(text, sizeof text, "the TLS handshake took longer than %u ms",
                 c->server->limits.request_ms);
        log_fault(c, text);
    }
    http_connection_close(c);
}

void http_input_late(struct http_connection *c)
{
    uint64_t now = loop_now_ms(c->server->loop);
    switch (c->input) {
    case INPUT_HEAD:
        if (c->in.len)
            http_output_error(c, 408);
        else
            end_silent(c);
        break;
    case INPUT_BODY:
        if (c->window_bytes < WINDOW_BYTES_MIN || now >= c->body_deadline_ms) {
            refuse_body(c, 408, "bad_request", "the request's body came too slowly");
            break;
        }
        c->window_bytes = 0;
        timer_set(c->timer, WINDOW_MS);
        break;
    case INPUT_DISCARD:
    case INPUT_LINGER:
        http_connection_close(c);
        break;
    case INPUT_HELD:
        break;
    }
}
