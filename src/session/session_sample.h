/* What a session keeps for samples of its bytes. Thread: the worker of the sessions. */
#ifndef LEVERET_SESSION_SESSION_SAMPLE_H
#define LEVERET_SESSION_SESSION_SAMPLE_H

#include <stdbool.h>
#include <stdint.h>

struct session;
struct sessions;

struct session_sampled {
    uint64_t received_bytes, sent_bytes; /* as its vhost has been told of them */
    bool before;                         /* true: it has been in a sample */
};

/* Tells the session's vhost how many bytes have moved since it was last told. Returns false when
 * there were none. The connection must be there. */
bool session_sample_tell(struct session *session);
/* The session is about to be freed: a walk that would go on with it goes on behind it. */
void session_sample_forget(struct session *session);

#endif
