/* What keeps a connection waiting: the vhost's gate for publishes, the mailbox of the vhost's
 * owner, output that the client does not read, and work that waits for its turns.
 *
 * Thread: the worker of the session. */
#ifndef LEVERET_SESSION_GATE_H
#define LEVERET_SESSION_GATE_H

#include "leveret/host/node.h"

struct session;
struct sessions;

/* A publish was sent to the core. */
void gate_published(struct session *session);
/* A channel has begun to hold publishes. */
void gate_held(struct session *session);

/* EVENT_GATE: the gate is gate now. text: the reason of an alarm, or NULL. */
void gate_event(struct session *session, enum publish_gate gate, const char *text);
/* EVENT_PACE. slow: the session's publishes outrun their consumers. */
void gate_pace(struct session *session, bool slow);
/* Has the end of the client's socket looked for while an alarm keeps it from being read, and no
 * longer when that is over. */
void gate_watch_end(struct session *session);

/* Reads those sessions again whose vhost's owner has caught up with its letters. */
void gate_check_mailbox(struct sessions *sessions);

/* For link_options.hold. held: what the client sent has cost much, and no more of it is taken until
 * the next call with false. */
void gate_hold(void *session, bool held);

/* The client was sent something that it caused: an answer or a returned message. */
void gate_answered(struct session *session);
/* Output has left. */
void gate_written(struct session *session);

#endif
