/* Part of http: answers out.
 *
 * Normal course: http_send queues head and body, which are written at the end of the turn; what the
 * socket does not take is written when it can be; then the connection's next request is served. A
 * stream is queued piece by piece, each as a chunk, and the code that makes it waits while the
 * client has enough to take. What can go wrong: the account has no room for a whole answer (503 is
 * sent in its place); the client takes less than WINDOW_BYTES_MIN in a window, or is gone (the
 * connection is closed). */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>

#include "admin/http/cors.h"
#include "admin/http/http_internal.h"
#include "leveret/base/container.h"
#include "leveret/base/mem.h"

/* Pieces that one call writes, and bytes that are written to one client in a turn of the loop; the
 * rest is written by the next call, or in the next turn. */
#define PARTS_MAX      64
#define TURN_BYTES_MAX (1u << 20)

/* ---- The queue. */

static void queue(struct http_connection *c, struct text *text)
{
    if (text->len == 0) {
        text_free(text);
        return;
    }
    struct http_piece *piece = mem_need(sizeof *piece);
    piece->text = *text;
    *text = (struct text){0};
    STAILQ_INSERT_TAIL(&c->pieces, piece, entry);
    c->out_bytes += piece->text.len;
    loop_at_end(c->server->loop, PHASE_WRITE, &c->write_task);
}

static void drop_first(struct http_connection *c)
{
    struct http_piece *piece = STAILQ_FIRST(&c->pieces);
    STAILQ_REMOVE_HEAD(&c->pieces, entry);
    c->sent = 0;
    text_free(&piece->text);
    free(piece);
}

void http_output_clear(struct http_connection *c)
{
    while (!STAILQ_EMPTY(&c->pieces))
        drop_first(c);
    c->out_bytes = 0;
}

static void consume(struct http_connection *c, size_t bytes)
{
    c->out_bytes -= bytes;
    while (bytes) {
        size_t left = STAILQ_FIRST(&c->pieces)->text.len - c->sent;
        if (bytes < left) {
            c->sent += bytes;
            return;
        }
        bytes -= left;
        drop_first(c);
    }
}

/* Writes what the socket takes. Returns false when the client is gone. */
static bool flush(struct http_connection *c)
{
    size_t share = TURN_BYTES_MAX;
    while (c->out_bytes && share) {
        struct iovec parts[PARTS_MAX];
        int count = 0;
        struct http_piece *piece;
        STAILQ_FOREACH(piece, &c->pieces, entry)
        {
            size_t skip = count ? 0 : c->sent;
            parts[count++] = (struct iovec){piece->text.at + skip, piece->text.len - skip};
            if (count == PARTS_MAX)
                break;
        }
        ssize_t n = c->transport.ops->writev(&c->transport, parts, count, false);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno == EAGAIN || errno == EWOULDBLOCK;
        consume(c, (size_t)n);
        c->window_bytes += (size_t)n;
        share = share > (size_t)n ? share - (size_t)n : 0;
    }
    return true;
}

/* Says whether bytes wait for the socket: the timer then runs for the answer, otherwise for what is
 * read. */
static void wait_writable(struct http_connection *c, bool waits)
{
    bool reads = c->input != INPUT_HELD;
    if (waits != c->timer_writes) {
        c->timer_writes = waits;
        if (waits) {
            c->window_bytes = 0;
            timer_set(c->timer, WINDOW_MS);
        } else {
            http_input_enter(c, c->input);
        }
    }
    watch_set(c->watch, (enum watch_events)((reads ? WATCH_READ : WATCH_NONE) |
                                            (waits ? WATCH_WRITE : WATCH_NONE)));
}

static void call_more(struct http_connection *c)
{
    void (*more)(struct request *) = c->more;
    c->more = NULL;
    more(c->streamer);
}

void http_output_run(struct loop_task *task)
{
    struct http_connection *c = container_of(task, struct http_connection, write_task);
    if (c->fd < 0)
        return;
    if (!flush(c)) {
        http_connection_close(c);
        return;
    }
    wait_writable(c, c->out_bytes > 0);
    http_connection_count(c);
    if (c->more && c->out_bytes < STREAM_BYTES_HIGH / 2)
        call_more(c);
    else if (c->input == INPUT_HELD && c->out_bytes == 0 && c->answered && !c->streaming)
        http_input_next(c);
}

void http_output_late(struct http_connection *c)
{
    if (c->window_bytes < WINDOW_BYTES_MIN) {
        http_connection_close(c);
        return;
    }
    c->window_bytes = 0;
    timer_set(c->timer, WINDOW_MS);
}

/* ---- Heads. */

static const struct {
    int code;
    const char *text;
} reasons[] = {
    {200, "OK"},
    {201, "Created"},
    {204, "No Content"},
    {301, "Moved Permanently"},
    {304, "Not Modified"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {408, "Request Timeout"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {417, "Expectation Failed"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {503, "Service Unavailable"},
    {505, "HTTP Version Not Supported"},
};

static const char *reason_of(int code)
{
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
        if (reasons[i].code == code)
            return reasons[i].text;
    return "Unknown";
}

/* Writes the status line and the fields that every answer has. request NULL: what has come is no
 * request. */
static void begin_head(struct http_connection *c, const struct request *request, struct text *out,
                       int code, const char *content_type)
{
    char date[64] = "";
    struct tm utc;
    time_t seconds = (time_t)(loop_wall_ms(c->server->loop) / 1000);
    if (gmtime_r(&seconds, &utc))
        (void)strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", &utc);
    text_printf(out, "HTTP/1.1 %d %s\r\nDate: %s\r\nCache-Control: no-cache\r\n", code,
                reason_of(code), date);
    if (content_type)
        text_printf(out, "Content-Type: %s\r\n", content_type);
    const struct admin_options *options = &c->server->admin->options;
    if (options->hsts && c->server->purpose == HTTP_API)
        text_printf(out, "Strict-Transport-Security: %s\r\n", options->hsts);
    if (request && options->cors_origins && c->server->purpose == HTTP_API)
        cors_write(options, request, out);
    if (!c->keep_alive)
        text_printf(out, "Connection: close\r\n");
    else if (c->minor_0)
        text_printf(out, "Connection: keep-alive\r\n");
}

static bool has_body(int code)
{
    return code >= 200 && code != 204 && code != 304;
}

void http_output_plain(struct http_connection *c, const char *words)
{
    struct text text = {0};
    text_add(&text, words, strlen(words));
    queue(c, &text);
}

void http_output_error(struct http_connection *c, int code)
{
    struct text text = {0};
    c->keep_alive = false;
    c->answered = true;
    begin_head(c, NULL, &text, code, NULL);
    text_printf(&text, "Content-Length: 0\r\n\r\n");
    queue(c, &text);
    http_input_enter(c, INPUT_HELD);
}

/* ---- A whole answer. */

/* A body of at most this many bytes is sent even when the account has no room: errors always are.
 */
#define SMALL_ANSWER_BYTES 4096u
/* Returns true when the account has room for the body until the client has taken it. */
static bool fits(const struct http_connection *c, const struct text *body)
{
    struct account *account = c->server->admin->account;
    if (!body || body->len <= SMALL_ANSWER_BYTES)
        return true;
    if (!account_take(account, ACCOUNT_HTTP_ANSWERS, body->len))
        return false;
    account_add(account, ACCOUNT_HTTP_ANSWERS,
                -(int64_t)body->len); /* http_connection_count adds it */
    return true;
}

/* When the request's body has not been read to its end, and is too long to be read and dropped, the
 * connection is closed after the answer; the answer's head has to say so. */
static void settle_keeping(struct http_connection *c)
{
    if (c->input != INPUT_HELD && !http_input_is_short(c))
        c->keep_alive = false;
}

void http_forget(struct request *request)
{
    struct http_connection *c = request->http;
    request->http = NULL;
    if (!c)
        return;
    if (c->request == request)
        c->request = NULL;
    if (c->streamer == request) {
        c->streamer = NULL;
        c->more = NULL;
    }
}

void http_send(struct request *request, int code, const char *content_type,
               const struct http_field *fields, struct text *body)
{
    struct http_connection *c = request->http;
    struct text head = {0};
    http_forget(request);
    if (c && c->fd >= 0) {
        if (!fits(c, body)) {
            text_free(body);
            code = 503;
            fields = NULL;
        }
        size_t len = body ? body->len : 0;
        settle_keeping(c);
        c->answered = true;
        begin_head(c, request, &head, code, content_type);
        for (; fields && fields->name; fields++)
            text_printf(&head, "%s: %s\r\n", fields->name, fields->value);
        if (has_body(code))
            text_printf(&head, "Content-Length: %zu\r\n", len);
        text_add(&head, "\r\n", 2);
        queue(c, &head);
        if (body && !c->is_head && has_body(code))
            queue(c, body);
        http_connection_count(c);
        loop_at_end(c->server->loop, PHASE_WRITE, &c->write_task);
    }
    if (body)
        text_free(body);
}

/* ---- A stream. */

void http_stream_begin(struct request *request, int code, const char *content_type)
{
    struct http_connection *c = request->http;
    struct text head = {0};
    if (!c || c->fd < 0)
        return;
    settle_keeping(c);
    c->request = NULL;
    c->streamer = request;
    c->answered = c->streaming = true;
    if (c->minor_0)
        c->keep_alive = false; /* closing the connection is the only way to end it */
    begin_head(c, request, &head, code, content_type);
    text_printf(&head, c->minor_0 ? "\r\n" : "Transfer-Encoding: chunked\r\n\r\n");
    queue(c, &head);
}

void http_stream_write(struct request *request, struct text *text)
{
    struct http_connection *c = request->http;
    if (c && c->fd >= 0 && !c->is_head && text->len) {
        struct text size = {0};
        if (!c->minor_0) {
            text_printf(&size, "%zx\r\n", text->len);
            queue(c, &size);
            text_add(text, "\r\n", 2);
        }
        queue(c, text);
        http_connection_count(c);
    }
    text_free(text);
}

bool http_is_streaming(const struct request *request)
{
    return request->http && request->http->streamer == request;
}

bool http_stream_left(const struct request *request)
{
    const struct http_connection *c = request->http;
    uint8_t byte;
    if (!c || c->fd < 0)
        return true;
    ssize_t n = recv(c->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return n == 0 || (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR);
}

bool http_stream_full(const struct request *request)
{
    const struct http_connection *c = request->http;
    return c && c->out_bytes >= STREAM_BYTES_HIGH;
}

void http_stream_wait(struct request *request, void (*more)(struct request *request))
{
    struct http_connection *c = request->http;
    if (!c) {
        more(request);
        return;
    }
    c->more = more;
    if (c->fd >= 0)
        loop_at_end(c->server->loop, PHASE_WRITE, &c->write_task);
}

void http_stream_end(struct request *request, bool complete)
{
    struct http_connection *c = request->http;
    http_forget(request);
    if (!c || c->fd < 0)
        return;
    c->streaming = false;
    if (!complete)
        http_connection_close(c);
    else if (!c->minor_0 && !c->is_head)
        http_output_plain(c, "0\r\n\r\n");
    else
        loop_at_end(c->server->loop, PHASE_WRITE, &c->write_task);
}
