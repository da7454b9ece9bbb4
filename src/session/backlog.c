/* Backlogs: frames that wait for their turn, in the order in which they came. A channel has two:
 * one for frames that came while the answer to a command is due (session_channel.c), one for
 * publishes that are held (hold.c).
 *
 * Normal course: while a backlog has to wait frames are added to it, and taken out when the wait is
 * over. What can go wrong: a client sends without end: with BACKLOG_BYTES_MAX in all backlogs of
 * its connection, the connection is not read until half of that has been taken out. */
#include "backlog.h"

#include "gate.h"
#include "session_memory.h"
#include "session_state.h"
#include "sessions_state.h"

/* Bytes in the backlogs of a connection's channels together. With more the connection is not read;
 * it is again with half of it. The second bound holds while the account's kind "connection_readers"
 * is at its limit. */
#define BACKLOG_BYTES_MAX   (256u << 10)
#define BACKLOG_BYTES_SHORT (16u << 10)

/* A frame in the backlog: type, whether it is a last piece, length of the payload, which
 * follows. */
struct backlog_head {
    uint8_t type;
    bool last_piece;
    uint32_t bytes;
};

static size_t bytes_held(const struct backlog *backlog)
{
    return backlog->frames.len - backlog->at;
}

static size_t bytes_max(const struct session *session)
{
    return session->sessions->memory.short_of_readers ? BACKLOG_BYTES_SHORT : BACKLOG_BYTES_MAX;
}

/* After the session's backlogs have grown or shrunk: sets or clears PAUSE_BACKLOG. */
static void weigh(struct session *session)
{
    size_t max = bytes_max(session);
    if (session->socket_gone)
        return;
    if (!session->backlog_full && session->backlog_bytes > max) {
        session->backlog_full = true;
        connection_pause(session->connection, PAUSE_BACKLOG);
        gate_watch_end(session);
    } else if (session->backlog_full && session->backlog_bytes <= max / 2) {
        session->backlog_full = false;
        connection_resume(session->connection, PAUSE_BACKLOG);
        gate_watch_end(session);
    }
}

static void count(struct session *session, size_t before, size_t after)
{
    session->backlog_bytes += after - before;
    session->sessions->memory.backlog_bytes += after - before;
    session_memory_changed(session->sessions);
    weigh(session);
}

/* Moves the frames to the front when those that have been taken out are the larger part. */
static void close_up(struct backlog *backlog)
{
    struct text *frames = &backlog->frames;
    if (backlog->at == 0 || backlog->at < frames->len - backlog->at)
        return;
    memmove(frames->at, frames->at + backlog->at, frames->len - backlog->at);
    frames->len -= backlog->at;
    backlog->at = 0;
}

void backlog_add(struct session *session, struct backlog *backlog, const struct frame *frame)
{
    struct backlog_head head = {(uint8_t)frame->type, frame->last_piece,
                                (uint32_t)frame->payload.len};
    size_t before = bytes_held(backlog);
    close_up(backlog);
    text_add(&backlog->frames, &head, sizeof head);
    text_add_bytes(&backlog->frames, frame->payload);
    count(session, before, bytes_held(backlog));
}

bool backlog_next(struct session *session, struct backlog *backlog, uint16_t channel,
                  struct frame *out)
{
    struct backlog_head head;
    if (!backlog_holds(backlog))
        return false;
    size_t before = bytes_held(backlog);
    const uint8_t *at = backlog->frames.at + backlog->at;
    memcpy(&head, at, sizeof head);
    backlog->at += sizeof head + head.bytes;
    *out = (struct frame){.type = (enum frame_type)head.type,
                          .channel = channel,
                          .payload = bytes_of(at + sizeof head, head.bytes),
                          .last_piece = head.last_piece};
    count(session, before, bytes_held(backlog));
    return true;
}

void backlog_put_first(struct backlog *backlog, struct backlog *first)
{
    if (backlog_holds(backlog))
        text_add(&first->frames, backlog->frames.at + backlog->at, bytes_held(backlog));
    text_free(&backlog->frames);
    *backlog = *first;
    *first = (struct backlog){0};
}

void backlog_drop(struct session *session, struct backlog *backlog)
{
    size_t before = bytes_held(backlog);
    if (before == 0)
        return;
    backlog->at = backlog->frames.len;
    count(session, before, 0);
}

void backlog_free(struct session *session, struct backlog *backlog)
{
    backlog_drop(session, backlog);
    text_free(&backlog->frames);
    backlog->at = 0;
}
