/* Part of http: bytes out.
 *
 * Normal course: what is queued is written at the end of the turn; what the socket does not take is
 * written when it can be; then the connection's next request is served. What can go wrong: the
 * client takes less than WINDOW_BYTES_MIN in a window, or is gone (the connection is closed). */
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "admin/http/http_internal.h"
#include "admin/http/pack.h"
#include "leveret/base/container.h"
#include "leveret/base/mem.h"

/* Pieces that one call writes, and bytes that are written to one client in a turn of the loop; the
 * rest is written by the next call, or in the next turn. */
#define PARTS_MAX      64
#define TURN_BYTES_MAX (1u << 20)

/* ---- The queue. */

void http_output_queue(struct http_connection *c, struct text *text)
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
    packer_free(&c->packer);
    text_free(&c->unpacked);
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
    if (c->out_bytes < STREAM_BYTES_HIGH / 2)
        http_answer_go_on(c);
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

void http_output_plain(struct http_connection *c, const char *words)
{
    struct text text = {0};
    text_add(&text, words, strlen(words));
    http_output_queue(c, &text);
}
