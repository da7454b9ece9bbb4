/* Sessions: AMQP connections from the protocol header to the last close-ok. A session joins a net
 * connection (frames) and a link (commands and events). It does the handshake, and it knows the
 * client's channels, permissions and confirms.
 *
 * Thread: the worker that a session was accepted for. struct sessions are the sessions of one
 * worker; functions that other threads may call say so. */
#ifndef LEVERET_SESSION_SESSION_H
#define LEVERET_SESSION_SESSION_H

#include "leveret/auth/auth.h"
#include "leveret/host/node.h"
#include "leveret/net/quota.h"
#include "leveret/net/tls.h"

struct session_options {
    struct node *node;
    struct auth *auth;
    struct log *log;
    const char *product, *version; /* server properties; some clients behave according to them */
    const char *leveret_version;   /* a server property, too: the version of Leveret */
    const char *cluster_name;      /* as long as auth_cluster_name has no name */
    uint16_t channel_max;          /* offered in tune; 0: all 65535 channels */
    uint32_t frame_max;
    uint16_t heartbeat_s;
    uint32_t handshake_timeout_ms;
    uint32_t tls_timeout_ms;        /* for the handshake of TLS, which is a part of the other one */
    struct tls_login_rule external; /* who a client is that logs in by its certificate */
    uint64_t message_bytes_max;
    uint32_t
        first_frame_max;    /* bytes of a frame before tune-ok; a larger one ends the connection */
    uint32_t consumers_max; /* of a channel; one more is refused with NOT_ALLOWED; 0: as many as
                               a channel can have */
    uint32_t output_bytes_max; /* deliveries queued to one connection; more wait in their queues */
    struct quota *sockets; /* gets back each accepted socket that is closed; NULL: there is none */
};

struct sessions;

/* Makes the set of a worker's sessions. What options points to must outlive it. Never NULL. */
struct sessions *sessions_new(struct loop *loop, const struct session_options *options);
/* All sessions must be gone. */
void sessions_free(struct sessions **sessions);

/* Replaces the numbers of the options, and nothing else: channel_max, frame_max and heartbeat_s are
 * offered to connections that shake hands from now on, the other limits hold for all. Any thread.
 */
void sessions_set_limits(struct sessions *sessions, const struct session_options *options);

/* Takes over an accepted socket. tls: what its client has to speak, which outlives the sessions;
 * NULL: it speaks plain AMQP. Any thread. */
void sessions_accept(struct sessions *sessions, int fd, struct tls *tls);

/* Sends connection.close 320 with text to every client, and closes the sockets after timeout_ms at
 * the latest. Then done() runs on the calling loop. Any thread with a loop. */
void sessions_shut_down(struct sessions *sessions, const char *text, uint32_t timeout_ms,
                        void (*done)(void *context), void *context);

/* What a listing shows of a session. The views are valid during the call. */
struct session_info {
    uint64_t id;                                       /* unique in this process */
    struct bytes name, user, vhost, client_properties; /* the last one: a table's contents */
    struct bytes peer_host, host, mechanism;
    uint16_t peer_port, port, channels, channel_max, heartbeat_s;
    uint32_t frame_max;
    uint64_t connected_wall_ms, received_bytes, sent_bytes, send_pending_bytes;
    const struct tls_facts *tls; /* NULL: it speaks no TLS, or its handshake is not over */
    uint64_t reads, writes;      /* from and to the socket, that moved bytes */
    bool sampled_before;         /* for samples: see sessions_sample */
    const char *state; /* "running", "blocked", "blocking", "flow", "starting", "closing" */
};

/* Runs work(sessions, argument) on the worker, then done(argument) on the calling loop. Any thread
 * with a loop. */
void sessions_ask(struct sessions *sessions,
                  void (*work)(struct sessions *sessions, void *argument),
                  void (*done)(void *argument), void *argument);
/* For work() above: calls each() for every session. */
void sessions_each(struct sessions *sessions,
                   void (*each)(void *context, const struct session_info *), void *context);

/* A connection whose bytes are sampled, for rates and history. */
struct session_sample {
    uint64_t id, connected_wall_ms;
    bool changed; /* true: bytes have moved since its last sample, or since it was made */
    bool before;  /* true: this is not its first sample */
    uint64_t received_bytes, sent_bytes;
};
/* A walk over a worker's sessions, in several calls; zeros begin it. One walk at a time. */
struct session_walk {
    bool all;  /* set by the caller. true: those that have been in a sample come again, changed or
                  not */
    bool done; /* set by sessions_sample: all have been looked at */
    bool begun;
};
/* Sessions that one call of sessions_sample looks at. */
#define SESSION_LOOKS_MAX 2000u
/* For work() above: goes on with a walk; fills in up to max samples of connections that have moved
 * bytes, and returns how many. */
size_t sessions_sample(struct sessions *sessions, struct session_walk *walk,
                       struct session_sample *out, size_t max);

/* For work() above: closes the session of that name with 320 CONNECTION_FORCED - reason. Errors:
 * NOT_FOUND. */
MUST_USE enum status sessions_close(struct sessions *sessions, struct bytes name,
                                    const char *reason);

/* Counters since start. */
struct sessions_totals {
    uint64_t connections, opened, closed, channels, channels_opened, channels_closed;
    uint64_t refused; /* closed before they opened a vhost, because there were too many */
    /* Of all connections, those that are closed among them; see struct session_info. */
    uint64_t received_bytes, sent_bytes, reads, writes;
};
void sessions_totals(const struct sessions *sessions, struct sessions_totals *out);

#endif
