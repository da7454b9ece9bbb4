/* A channel's backlog: frames that came while a command's answer was due, kept in the order in
 * which they came.
 *
 * Normal course: channel.c adds while it waits and takes when the answer has come. What can go
 * wrong: a client that sends on and on without an answer: above BACKLOG_BYTES_MAX its connection is
 * not read, until half of that has been taken. */
#include "internal.h"

/* A frame in the backlog: type, whether it is a last piece, length of the payload, payload. */
struct backlog_head {
    uint8_t type;
    bool last_piece;
    uint32_t bytes;
};

static size_t bytes_held(const struct channel *channel)
{
    return channel->backlog.frames.len - channel->backlog.at;
}

static void set_full(struct channel *channel, bool full)
{
    struct session *session = channel->session;
    if (channel->backlog.full == full)
        return;
    channel->backlog.full = full;
    if (full) {
        session->backlogs_full++;
        connection_pause(session->connection, PAUSE_BACKLOG);
    } else if (--session->backlogs_full == 0 && !session->socket_gone) {
        connection_resume(session->connection, PAUSE_BACKLOG);
    }
}

/* Moves what is left to the front when what was taken is the larger part. */
static void close_up(struct backlog *backlog)
{
    struct text *frames = &backlog->frames;
    if (backlog->at == 0 || backlog->at < frames->len - backlog->at)
        return;
    memmove(frames->at, frames->at + backlog->at, frames->len - backlog->at);
    frames->len -= backlog->at;
    backlog->at = 0;
}

void backlog_add(struct channel *channel, const struct frame *frame)
{
    struct backlog *backlog = &channel->backlog;
    struct backlog_head head = {(uint8_t)frame->type, frame->last_piece,
                                (uint32_t)frame->payload.len};
    close_up(backlog);
    text_add(&backlog->frames, &head, sizeof head);
    text_add_bytes(&backlog->frames, frame->payload);
    if (bytes_held(channel) > BACKLOG_BYTES_MAX)
        set_full(channel, true);
}

bool backlog_holds(const struct channel *channel)
{
    return bytes_held(channel) > 0;
}

bool backlog_next(struct channel *channel, struct frame *out)
{
    struct backlog *backlog = &channel->backlog;
    struct backlog_head head;
    if (!backlog_holds(channel))
        return false;
    const uint8_t *at = backlog->frames.at + backlog->at;
    memcpy(&head, at, sizeof head);
    backlog->at += sizeof head + head.bytes;
    *out = (struct frame){.type = (enum frame_type)head.type,
                          .channel = channel->number,
                          .payload = bytes_of(at + sizeof head, head.bytes),
                          .last_piece = head.last_piece};
    if (bytes_held(channel) <= BACKLOG_BYTES_MAX / 2)
        set_full(channel, false);
    return true;
}

void backlog_drop(struct channel *channel)
{
    channel->backlog.at = channel->backlog.frames.len;
    set_full(channel, false);
}

void backlog_free(struct channel *channel)
{
    backlog_drop(channel);
    text_free(&channel->backlog.frames);
    channel->backlog.at = 0;
}
