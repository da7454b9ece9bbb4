/* The layout of struct sessions, one worker's sessions, for the files of session/. Functions are in
 * include/leveret/session/session.h.
 *
 * Thread: the worker of the sessions. */
#ifndef LEVERET_SESSION_SESSIONS_STATE_H
#define LEVERET_SESSION_SESSIONS_STATE_H

#include <sys/queue.h>

#include "entrance.h"
#include "leveret/base/random.h"
#include "leveret/base/text.h"
#include "leveret/session/session.h"
#include "session_memory.h"

struct session;

struct sessions {
    struct loop *loop;
    struct session_options options;
    struct session_memory memory;
    struct entrance entrance;
    struct net_worker *net;
    TAILQ_HEAD(session_list, session) all;
    struct session *sample_next; /* the walk of sessions_sample goes on with it; NULL: at the end */
    struct session_list mailbox_waiters; /* sessions with PAUSE_MAILBOX: see gate.h */
    struct timer *mailbox_timer;         /* set while mailbox_waiters is not empty */
    struct random_stream random;
    struct sessions_totals totals;
    struct text server_properties; /* as of properties_version; empty before the first client */
    uint64_t properties_version;   /* auth_version() when they were made */
    struct shutdown {
        bool under_way;
        struct loop *asker;
        void (*done)(void *context); /* NULL once it was called */
        void *context;
        struct timer *timer;
    } shutdown;
};

/* Takes a session that is about to be freed out of its worker's lists. */
void sessions_forget(struct session *session);

#endif
