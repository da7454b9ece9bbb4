/* A whole session without a socket: bytes in, bytes out. Node, core and session are the real ones;
 * everything is in memory, on one loop that the test runs step by step. Only net/connection is
 * replaced, by session_harness.c. Thread: one. */
#ifndef LEVERET_TESTS_SESSION_HARNESS_H
#define LEVERET_TESTS_SESSION_HARNESS_H

#include "leveret/base/text.h"
#include "leveret/net/connection.h"
#include "leveret/session/session.h"
#include "leveret/wire/method.h"
#include "leveret/wire/properties.h"

struct harness;

struct harness *harness_new(void);
void harness_free(struct harness **harness);

/* Runs the loop until there is nothing to do without waiting. */
void harness_settle(struct harness *harness);

/* A new client, connected, which has sent nothing; there may be 4. */
struct connection *harness_connect(struct harness *harness);
/* Gives the session input as one read would, then settles. */
void harness_feed(struct harness *harness, struct connection *client, struct bytes input);
/* Breaks the client's socket. */
void harness_break(struct harness *harness, struct connection *client);
/* The bytes that the session has written and the test has not taken yet. */
struct text *harness_output(struct connection *client);
bool harness_closed(const struct connection *client);
/* Makes the socket take nothing more, so that the connection says that `bytes` are queued; 0: it
 * has taken all of them. */
void harness_hold_output(struct harness *harness, struct connection *client, size_t bytes);
struct auth *harness_auth(struct harness *harness);
/* The options that the sessions were made with, and the sessions: to give them other limits. */
struct session_options *harness_options(struct harness *harness);
struct sessions *harness_sessions(struct harness *harness);

/* Sets the node's memory watermark: 0 raises the alarm, UINT64_MAX ends it. */
void harness_set_memory_max(struct harness *harness, uint64_t bytes);

/* ---- In AMQP's words. */
void harness_send(struct harness *harness, struct connection *client, uint16_t channel,
                  const struct method *method);
/* basic.publish with its header and body frames; delivery_mode 0: no such property. */
void harness_publish(struct harness *harness, struct connection *client, uint16_t channel,
                     const char *exchange, const char *key, const char *body, int delivery_mode);
/* The same frames, to be fed in one go with others. */
void harness_add_method(struct text *frames, uint16_t channel, const struct method *method);
void harness_add_publish(struct text *frames, uint16_t channel, const struct basic_publish *publish,
                         struct bytes body, int delivery_mode);
void harness_add_content(struct text *frames, uint16_t channel, const struct basic_publish *publish,
                         const struct properties *properties, struct bytes body);
/* Handshake as guest to "/", and channel.open of channel 1. */
void harness_log_in(struct harness *harness, struct connection *client);
/* The same with another SASL PLAIN response: "\0user\0password". */
void harness_log_in_as(struct harness *harness, struct connection *client, struct bytes response);
/* Takes all output and returns it as lines, one for each frame: "1 basic.deliver", "header 5",
 * "body hello", and for closes "1 channel.close 404 NOT_FOUND - …". Zero-ended, valid until the
 * next call. */
const char *harness_told(struct connection *client);

#endif
