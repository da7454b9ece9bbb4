/* Backlogs: frames that wait for their turn, in the order in which they came.
 *
 * Thread: the worker of the session. */
#ifndef LEVERET_SESSION_BACKLOG_H
#define LEVERET_SESSION_BACKLOG_H

#include "leveret/base/text.h"
#include "leveret/wire/frame.h"

struct session;

/* An empty backlog is all zeros. */
struct backlog {
    struct text frames;
    size_t at; /* bytes at the beginning of frames that have been taken out */
};

static inline bool backlog_holds(const struct backlog *backlog)
{
    return backlog->frames.len > backlog->at;
}

/* Copies the frame to the end. The connection is not read any more when the session's backlogs are
 * full with it. */
void backlog_add(struct session *session, struct backlog *backlog, const struct frame *frame);
/* Takes the first frame out; its payload is valid until the next backlog_add, backlog_put_first or
 * backlog_free. Returns false when there is none. */
bool backlog_next(struct session *session, struct backlog *backlog, uint16_t channel,
                  struct frame *out);
/* Moves all frames of first, which is empty afterwards, to the beginning of backlog. */
void backlog_put_first(struct backlog *backlog, struct backlog *first);
/* Forgets the frames. The payload that backlog_next handed out stays valid as said there. */
void backlog_drop(struct session *session, struct backlog *backlog);
/* Forgets the frames and frees their memory. */
void backlog_free(struct session *session, struct backlog *backlog);

#endif
