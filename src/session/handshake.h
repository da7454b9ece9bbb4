/* The handshake: from the protocol header to open-ok.
 *
 * Thread: the worker of the session. */
#ifndef LEVERET_SESSION_HANDSHAKE_H
#define LEVERET_SESSION_HANDSHAKE_H

#include "leveret/wire/method.h"

struct session;

/* The protocol header has come: sends connection.start. */
void handshake_begin(struct session *session);
/* A method of class connection that belongs to the handshake, or nowhere: then the session has been
 * failed. */
void handshake_method(struct session *session, const struct method *method);
/* Tells a client with the capability authentication_failure_close that its log-in has failed. The
 * session of another client ends after a while without a word. */
void handshake_refuse(struct session *session);

#endif
