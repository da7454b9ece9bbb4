/* Sessions: AMQP connections from the protocol header to the last close-ok. A session joins a net
 * connection (frames) and a link (commands and events); handshake, channels, content, confirms live
 * here.
 *
 * Thread: a session belongs to the worker's loop that it was accepted for. struct sessions is one
 * worker's set of them. Other threads reach them with sessions_ask. */
#ifndef LEVERET_SESSION_SESSION_H
#define LEVERET_SESSION_SESSION_H

#include "leveret/auth/auth.h"
#include "leveret/host/node.h"
#include "leveret/net/quota.h"

struct session_options {
    struct node *node;
    struct auth *auth;
    struct log *log;
    const char *product, *version; /* server properties that clients choose their behaviour by */
    const char *leveret_version;   /* what this is, whatever product and version say */
    const char *cluster_name;      /* until somebody names the cluster: auth_cluster_name */
    uint16_t channel_max;          /* offered in tune; 0: no limit but 65535 */
    uint32_t frame_max;
    uint16_t heartbeat_s;
    uint32_t handshake_timeout_ms;
    uint64_t message_bytes_max;
    uint32_t output_bytes_max; /* deliveries queued to one connection */
    struct quota *sockets;     /* told when a socket that was accepted is closed; NULL: nobody is */
};

struct sessions;

/* One worker's sessions; options must outlive them. */
struct sessions *sessions_new(struct loop *loop, const struct session_options *options);
/* All sessions must be gone. */
void sessions_free(struct sessions **sessions);

/* Takes the numbers of options over, and nothing else of them: connections that shake hands from
 * now on are offered channel_max, frame_max and heartbeat_s, the other limits hold for all. Any
 * thread. */
void sessions_set_limits(struct sessions *sessions, const struct session_options *options);

/* Takes an accepted socket; any thread. */
void sessions_accept(struct sessions *sessions, int fd);

/* Tells every client 320 with text and closes; done() runs on the calling loop when all are gone or
 * after timeout_ms. Any thread with a loop. */
void sessions_shut_down(struct sessions *sessions, const char *text, uint32_t timeout_ms,
                        void (*done)(void *context), void *context);

/* What a listing shows of a session; views last for the call. */
struct session_info {
    uint64_t id;                                       /* unique in this process */
    struct bytes name, user, vhost, client_properties; /* the last: a table's contents */
    struct bytes peer_host, host, mechanism;
    uint16_t peer_port, port, channels, channel_max, heartbeat_s;
    uint32_t frame_max;
    uint64_t connected_wall_ms, received_bytes, sent_bytes, send_pending_bytes;
    const char *state; /* "running", "blocked", "blocking", "flow", "starting", "closing" */
};

/* Runs work(sessions, argument) on the worker, then done(argument) on the calling loop. */
void sessions_ask(struct sessions *sessions,
                  void (*work)(struct sessions *sessions, void *argument),
                  void (*done)(void *argument), void *argument);
/* For work() above: walks the sessions. */
void sessions_each(struct sessions *sessions,
                   void (*each)(void *context, const struct session_info *), void *context);
/* For work() above: closes the session of that name with 320 CONNECTION_FORCED - reason. Errors:
 * NOT_FOUND. */
MUST_USE enum status sessions_close(struct sessions *sessions, struct bytes name,
                                    const char *reason);

/* Counters since start. */
struct sessions_totals {
    uint64_t connections, opened, closed, channels, channels_opened, channels_closed;
    uint64_t refused; /* closed before they opened a vhost, to make room for newer ones */
};
void sessions_totals(const struct sessions *sessions, struct sessions_totals *out);

#endif
