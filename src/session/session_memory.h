/* What a worker's sessions hold in memory: frames in backlogs, and messages that have come in part.
 * The node's account is told once a turn.
 *
 * Thread: the worker of the sessions. */
#ifndef LEVERET_SESSION_SESSION_MEMORY_H
#define LEVERET_SESSION_SESSION_MEMORY_H

#include "leveret/base/account.h"
#include "leveret/runtime/loop.h"

struct sessions;

/* Bytes that one session and one channel count in the account's kind "connections": net, session,
 * link and core hold about so much for them. When the kind is at its limit no more are opened. */
#define SESSION_COST_BYTES 2560u
#define CHANNEL_COST_BYTES 1024u

struct session_memory {
    struct account *account;
    uint64_t backlog_bytes, told_backlog_bytes; /* in backlogs now, and as the account knows it */
    uint64_t content_bytes, told_content_bytes; /* the same of messages that have come in part */
    uint64_t content_bytes_max; /* content_bytes may grow to it; set anew each turn */
    uint64_t weighed_bytes;     /* told to the account when the node last weighed its memory */
    bool short_of_readers;      /* the account's kind "connection_readers" is at its limit */
    struct loop_task told;      /* in PHASE_COMMIT: tells the account */
};

void session_memory_begin(struct sessions *sessions, struct account *account);
void session_memory_end(struct sessions *sessions);
/* To be called after backlog_bytes or content_bytes has changed. */
void session_memory_changed(struct sessions *sessions);

#endif
