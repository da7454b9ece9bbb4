/* Part of http: answers, from head to end.
 *
 * Normal course: http_send queues head and body. A stream is queued piece by piece, each as a
 * chunk, and the code that makes it waits while the client has enough to take. What is not short is
 * packed for a client that takes gzip. What can go wrong: the account has no room for a whole
 * answer (503 is sent in its place) or for packing it (it is sent as it is). */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

#include "admin/http/cors.h"
#include "admin/http/http_internal.h"
#include "admin/http/pack.h"

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
    if (request && c->server->purpose != HTTP_CONTROL)
        text_printf(out, "Vary: Accept-Encoding, Origin\r\n");
    if (request && options->cors_origins && c->server->purpose == HTTP_API)
        cors_write(options, request, out);
    if (c->packer)
        text_printf(out, "Content-Encoding: gzip\r\n");
    if (!c->keep_alive)
        text_printf(out, "Connection: close\r\n");
    else if (c->minor_0)
        text_printf(out, "Connection: keep-alive\r\n");
}

static bool has_body(int code)
{
    return code >= 200 && code != 204 && code != 304;
}

void http_output_error(struct http_connection *c, int code)
{
    struct text text = {0};
    c->keep_alive = false;
    c->answered = true;
    begin_head(c, NULL, &text, code, NULL);
    text_printf(&text, "Content-Length: 0\r\n\r\n");
    http_output_queue(c, &text);
    http_input_enter(c, INPUT_HELD);
}

/* ---- Packing. */

/* Returns true when the account has room for a packer. */
static bool may_pack(const struct http_connection *c, const struct request *request,
                     const char *content_type)
{
    struct account *account = c->server->admin->account;
    if (!request->takes_gzip || c->is_head || !content_type ||
        strncmp(content_type, "text/event-stream", 17) == 0 ||
        !account_take(account, ACCOUNT_HTTP_ANSWERS, PACK_HELD_BYTES))
        return false;
    account_add(account, ACCOUNT_HTTP_ANSWERS, -(int64_t)PACK_HELD_BYTES);
    return true;
}

static bool is_packed(const struct http_field *fields)
{
    for (; fields && fields->name; fields++)
        if (strcmp(fields->name, "Content-Encoding") == 0)
            return true;
    return false;
}

/* Queues a piece of a stream as a chunk. */
static void queue_chunk(struct http_connection *c, struct text *text)
{
    struct text size = {0};
    if (text->len && !c->minor_0) {
        text_printf(&size, "%zx\r\n", text->len);
        http_output_queue(c, &size);
        text_add(text, "\r\n", 2);
    }
    http_output_queue(c, text);
}

/* Queues what has come of packing the bytes, as a chunk. */
static void queue_packed(struct http_connection *c, struct bytes bytes, bool last)
{
    struct text packed = {0};
    packer_add(c->packer, bytes, last, &packed);
    queue_chunk(c, &packed);
}

static void end_chunks(struct http_connection *c)
{
    if (!c->minor_0 && !c->is_head)
        http_output_plain(c, "0\r\n\r\n");
    else
        loop_at_end(c->server->loop, PHASE_WRITE, &c->write_task);
}

void http_answer_go_on(struct http_connection *c)
{
    if (!c->unpacked.at)
        return;
    size_t left = c->unpacked.len - c->unpacked_at;
    size_t len = left < PACK_TURN_BYTES ? left : PACK_TURN_BYTES;
    queue_packed(c, bytes_of(c->unpacked.at + c->unpacked_at, len), len == left);
    c->unpacked_at += len;
    if (len == left) {
        text_free(&c->unpacked);
        packer_free(&c->packer);
        c->streaming = false;
        end_chunks(c);
    }
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

/* How a whole answer is sent to a client that takes gzip. */
enum packing {
    PACK_NOT,
    PACK_NOW,   /* packed before it is queued */
    PACK_LATER, /* a long one: packed in portions, in later turns, and sent in chunks */
};
static enum packing packing_of(const struct http_connection *c, const struct request *request,
                               const char *content_type, const struct http_field *fields,
                               const struct text *body)
{
    if (!body || body->len < PACK_BYTES_MIN || is_packed(fields) ||
        !may_pack(c, request, content_type))
        return PACK_NOT;
    if (body->len <= PACK_TURN_BYTES)
        return PACK_NOW;
    return c->minor_0 ? PACK_NOT : PACK_LATER;
}

static void end_head(struct http_connection *c, struct text *head, int code, bool chunked,
                     size_t body_len)
{
    if (chunked)
        text_printf(head, "Transfer-Encoding: chunked\r\n");
    else if (has_body(code))
        text_printf(head, "Content-Length: %zu\r\n", body_len);
    text_add(head, "\r\n", 2);
    http_output_queue(c, head);
}

static void send_whole(struct http_connection *c, const struct request *request, int code,
                       const char *content_type, const struct http_field *fields, struct text *body)
{
    struct text head = {0};
    enum packing packing = packing_of(c, request, content_type, fields, body);
    settle_keeping(c);
    c->answered = true;
    if (packing == PACK_LATER)
        c->packer = packer_new();
    else if (packing == PACK_NOW)
        pack_text(body);
    begin_head(c, request, &head, code, content_type);
    for (; fields && fields->name; fields++)
        text_printf(&head, "%s: %s\r\n", fields->name, fields->value);
    if (packing == PACK_NOW)
        text_printf(&head, "Content-Encoding: gzip\r\n");
    end_head(c, &head, code, packing == PACK_LATER, body ? body->len : 0);
    if (packing == PACK_LATER) {
        c->streaming = true;
        c->unpacked = *body;
        c->unpacked_at = 0;
        *body = (struct text){0};
    } else if (body && !c->is_head && has_body(code)) {
        http_output_queue(c, body);
    }
    http_connection_count(c);
    loop_at_end(c->server->loop, PHASE_WRITE, &c->write_task);
}

void http_send(struct request *request, int code, const char *content_type,
               const struct http_field *fields, struct text *body)
{
    struct http_connection *c = request->http;
    http_forget(request);
    if (c && c->fd >= 0) {
        bool room = fits(c, body);
        if (!room)
            text_free(body);
        send_whole(c, request, room ? code : 503, content_type, room ? fields : NULL, body);
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
    if (may_pack(c, request, content_type))
        c->packer = packer_new();
    begin_head(c, request, &head, code, content_type);
    text_printf(&head, c->minor_0 ? "\r\n" : "Transfer-Encoding: chunked\r\n\r\n");
    http_output_queue(c, &head);
}

void http_stream_write(struct request *request, struct text *text)
{
    struct http_connection *c = request->http;
    if (c && c->fd >= 0 && !c->is_head && text->len) {
        if (c->packer)
            queue_packed(c, text_bytes(text), false);
        else
            queue_chunk(c, text);
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
    if (!complete) {
        http_connection_close(c);
        return;
    }
    if (c->packer)
        queue_packed(c, bytes_of("", 0), true);
    packer_free(&c->packer);
    end_chunks(c);
}
