/* A virtual host: the pure core. A deterministic state machine: commands and the time go in;
 * events, journal records and a deadline come out. It knows no socket, loop, thread or clock.
 *
 * Thread: the vhost's owner; nobody else touches anything behind this header.
 *
 * Normal course of a message: vhost_apply(COMMAND_PUBLISH) → publish.c → route.c → queue.c →
 * journal_append, consumer.c → EVENT_DELIVER; later COMMAND_ACK → unsettled.c → journal_settle; and
 * vhost_committed → promise.c → EVENT_CONFIRM. */
#ifndef LEVERET_BROKER_VHOST_H
#define LEVERET_BROKER_VHOST_H

#include "leveret/base/account.h"
#include "leveret/base/dialect.h"
#include "leveret/broker/command.h"
#include "leveret/broker/counters.h"
#include "leveret/broker/queue_type.h"
#include "leveret/journal/journal.h"

struct vhost;

/* The time, passed in with each call that needs it. */
struct moment {
    uint64_t steady_ms; /* for intervals: x-expires, time-outs */
    uint64_t wall_ms;   /* for what is stored: message expiry, timestamps */
};

/* Limits of a vhost that may change while it is in use. */
struct vhost_limits {
    size_t resident_bytes_max;    /* message bytes in memory; above it transient messages are paged
                                     out to disk */
    uint64_t message_bytes_max;   /* bytes of a message's body; a larger one is refused with
                                     PRECONDITION_FAILED */
    uint64_t consumer_timeout_ms; /* how long a delivery may stay unsettled; after that its consumer
                                     is cancelled, or its channel fails; 0: for ever */
};

struct vhost_options {
    struct bytes name;
    struct journal *journal; /* not owned */
    uint64_t random_seed; /* for the names of direct replies and what x-random picks; unpredictable
                             in production */
    /* Where events go; owner is what the peer was attached with. Must not call back into the vhost.
     */
    void (*event)(void *context, void *owner, const struct event *event);
    void *context;
    struct vhost_limits limits; /* at first; vhost_set_limits changes them */
    struct bytes node_name;     /* copied; told in traces */
    struct dialect dialect;
    bool announces; /* has the exchanges of events and log lines */
    /* Something came or went while vhost_watch is on: "queue.created" and a table's contents. */
    void (*told)(void *context, const char *event, struct bytes headers);
    /* Something is going on that an operator should know; text: one sentence. NULL: nobody is told.
     */
    void (*warn)(void *context, const char *text);
    /* Whether anybody listens to this vhost's events and log lines; after each change. */
    void (*listened)(void *context, bool events, bool log);
    /* Counts what clients make this vhost hold beside message bytes, which the host reads with
     * vhost_resident_bytes; NULL: nothing is counted or refused. Not owned. */
    struct account *account;
    uint32_t peer_window_bytes; /* deliveries under way to one peer before its COMMAND_CREDIT */
    uint32_t portion; /* units of work (work.h) at which one call stops, to go on in the next one;
                         0: no call stops */
};

/* What a call has cost, and whether it is through. */
struct applied {
    uint32_t units;  /* of work (docs/architecture.md, "Work"); plain commands cost none */
    bool unfinished; /* there is more to do: the same call is to be made again */
};

/* Makes a vhost with its predeclared exchanges (not journalled). Copies options. Never NULL. */
struct vhost *vhost_new(const struct vhost_options *options);
/* What may be changed while the vhost is in use. */
struct vhost_tuning {
    uint64_t queues_max; /* more are not declared: PRECONDITION_FAILED; UINT64_MAX: no limit */
    bool tracing;        /* messages that come and go are told to amq.rabbitmq.trace */
    /* Of a durable queue that is neither exclusive nor auto-delete and whose declaration does not
     * say its type. All others are classic. */
    enum queue_type default_queue_type;
};
void vhost_tune(struct vhost *vhost, const struct vhost_tuning *tuning);
/* Whether options.told is to be called. */
void vhost_watch(struct vhost *vhost, bool on);
/* Publishes what happened on the node to amq.rabbitmq.event or amq.rabbitmq.log. headers: a checked
 * table's contents. */
enum announcement { ANNOUNCE_EVENT, ANNOUNCE_LOG };
void vhost_announce(struct vhost *vhost, enum announcement announcement, struct bytes key,
                    struct bytes headers, struct bytes body, struct moment now);
/* Frees all, sending no events. */
void vhost_free(struct vhost **vhost);

/* Reads back what the journal holds (calls journal_recover); before the first command.
 * Errors: as journal_recover, and CORRUPT for definitions that make no sense; *error says more
 * (free it). */
MUST_USE enum status vhost_recover(struct vhost *vhost, struct moment now, char **error);

/* A new peer. name and user are for listings and are copied. */
struct peer_options {
    void *owner;       /* comes back in the peer's events */
    struct bytes name; /* "127.0.0.1:5000 -> 127.0.0.1:5672" */
    struct bytes user;
    bool notify_cancel; /* true: the client has the capability consumer_cancel_notify */
};
struct peer *vhost_attach(struct vhost *vhost, const struct peer_options *options,
                          struct moment now);
/* The connection is gone: requeues, deletes exclusive queues, then EVENT_DETACHED; the peer must
 * not be used after. Unfinished: call it again, and apply no command of the peer before. */
struct applied vhost_detach(struct vhost *vhost, struct peer *peer, struct moment now);

/* Does one command, or a portion of it. Events may come before it returns. Unfinished: vhost_go_on
 * is to be called with the same command, in a later turn and until it is finished, before any
 * other command of the peer; it does not look at the message of a publish, which is the core's. */
struct applied vhost_apply(struct vhost *vhost, struct peer *peer, const struct command *command,
                           struct moment now);
struct applied vhost_go_on(struct vhost *vhost, struct peer *peer, const struct command *command,
                           struct moment now);

/* The journal's callbacks, handed on by the host. */
void vhost_committed(struct vhost *vhost, uint64_t batch, struct moment now);
void vhost_paged_in(struct vhost *vhost, struct journal_page *page, struct moment now);
/* Reading of the lane fails just now (IO, NO_MEMORY), or has succeeded again (OK). */
void vhost_stalled(struct vhost *vhost, struct journal_lane *lane, enum status status);
void vhost_paged_out(struct vhost *vhost, struct journal_lane *lane, uint64_t chunk,
                     enum status status);

/* End of a turn of the host's loop, after its commands and before journal_flush: lets go of the
 * confirms that wait for nothing (merged, one for each channel). Cheap when there are none. */
void vhost_flush(struct vhost *vhost, struct moment now);

/* Replaces the limits of vhost_options. Deliveries that are already out fail after the new
 * consumer_timeout_ms. */
void vhost_set_limits(struct vhost *vhost, const struct vhost_limits *limits, struct moment now);

/* Does what is due (expiry of messages and queues, time-outs), a bounded amount; call again when
 * vhost_deadline_ms says so. */
struct applied vhost_tick(struct vhost *vhost, struct moment now);
/* Whether the journal must not be flushed now: a transaction is half committed, and what it writes
 * belongs into one batch. */
bool vhost_holds_batch(const struct vhost *vhost);
/* The steady_ms at which vhost_tick has something to do; UINT64_MAX: never. */
uint64_t vhost_deadline_ms(const struct vhost *vhost);

/* Message bytes held in memory. */
size_t vhost_resident_bytes(const struct vhost *vhost);

/* ---- Listings: copies in a form of our own, for the API. Views point into the vhost and last
 * until the next call that changes it; the caller copies what it keeps. */

/* For queue_info.delivery_limit: a queue that does not count returns; one that does, without limit.
 */
#define QUEUE_DELIVERY_UNCOUNTED UINT64_MAX
#define QUEUE_DELIVERY_UNLIMITED (UINT64_MAX - 1)
#define QUEUE_PRIORITIES         32u
#define QUEUE_PRIORITY_MIDDLE    4u
struct queue_info {
    struct bytes name, arguments;
    bool durable, auto_delete, exclusive;
    struct bytes owner_name; /* the connection of an exclusive queue */
    uint64_t messages_ready, messages_unacknowledged, ready_bytes, unacknowledged_bytes;
    uint64_t messages_persistent, messages_ram;
    uint64_t messages_ready_ram;      /* of the ready: in memory */
    uint64_t messages_ready_returned; /* of the ready: were delivered before, or may have been */
    /* Of a quorum queue some of whose messages have said a priority: how many are ready of each
     * from 0 on, as QUEUE_PRIORITIES uint64_t that need not be aligned. Empty: all have
     * QUEUE_PRIORITY_MIDDLE, or the queue is of another type. */
    struct bytes ready_by_priority;
    uint64_t messages_dlx;         /* of the unacknowledged: wait to be dead-lettered */
    uint64_t dead_letters_dropped; /* since start: there would have been too many of one message */
    uint64_t memory_bytes;
    uint32_t consumers;
    uint64_t idle_since_wall_ms;
    uint64_t deduplicated; /* messages that were there before and so did not come in */
    struct rates rates;
    bool failed;  /* its stored messages cannot be read: see the log */
    bool stalled; /* what is stored cannot be read just now; reading is tried again */
    struct bytes policy, operator_policy; /* names; empty: none applies */
    struct bytes effective_definition;    /* of the two together: a table's contents */
    uint64_t delivery_limit;              /* of returns; QUEUE_DELIVERY_… below */
    struct bytes exclusive_consumer;      /* its tag; empty: none */
    struct bytes single_active_consumer;  /* the active one's tag; empty: none, or not that kind */
};
struct exchange_info {
    struct bytes name, type, arguments;
    bool durable, auto_delete, internal;
    uint64_t publish_in, publish_out;
    uint64_t unroutable_returned, unroutable_dropped;
    uint64_t deduplicated;     /* messages that came before and so went nowhere */
    bool delays;               /* it is of the type x-delayed-message */
    uint64_t messages_delayed; /* what waits in it */
    struct bytes policy;       /* its name; empty: none applies */
};
struct policy_info {
    struct bytes name, pattern, definition; /* definition: a table's contents */
    int64_t priority;
    enum policy_target target;
};
struct binding_info {
    struct bytes source, destination, routing_key, arguments;
    bool to_exchange;
};
struct consumer_info {
    struct bytes queue, tag, arguments, peer_name, user;
    uint16_t channel;
    bool ack_required, exclusive;
    bool active;        /* false: it waits for the end of the single active one */
    bool single_active; /* it is that one */
    uint32_t prefetch_count;
    uint64_t timeout_ms; /* a delivery may stay unsettled so long; 0: for ever */
    int64_t priority;
};
struct channel_info {
    struct bytes peer_name, user;
    uint16_t number;
    bool confirm, transactional;
    uint32_t prefetch_count, global_prefetch_count, consumers;
    uint64_t messages_unacknowledged, messages_unconfirmed, messages_uncommitted, acks_uncommitted;
    struct rates rates;
};
struct vhost_totals {
    uint64_t queues, exchanges, bindings, consumers, channels, peers;
    uint64_t messages_ready, messages_unacknowledged;
    struct rates rates; /* since it was opened */
    struct counters counters;
};

/* Each fills up to max infos, beginning after the one that *after names (0 at first; moved
 * forwards), and returns how many; 0 at the end. Objects made or deleted between calls may be
 * missed, none is told twice. */
size_t vhost_list_queues(struct vhost *vhost, uint64_t *after, struct queue_info *out, size_t max);
size_t vhost_list_exchanges(struct vhost *vhost, uint64_t *after, struct exchange_info *out,
                            size_t max);
size_t vhost_list_bindings(struct vhost *vhost, uint64_t *after, struct binding_info *out,
                           size_t max);
size_t vhost_list_consumers(struct vhost *vhost, uint64_t *after, struct consumer_info *out,
                            size_t max);
size_t vhost_list_channels(struct vhost *vhost, uint64_t *after, struct channel_info *out,
                           size_t max);
size_t vhost_list_policies(struct vhost *vhost, bool operator_policies, uint64_t *after,
                           struct policy_info *out, size_t max);
void vhost_totals(const struct vhost *vhost, struct vhost_totals *out);
bool vhost_find_queue(struct vhost *vhost, struct bytes name, struct queue_info *out);
bool vhost_find_policy(struct vhost *vhost, bool operator_policy, struct bytes name,
                       struct policy_info *out);
bool vhost_find_exchange(struct vhost *vhost, struct bytes name, struct exchange_info *out);

#endif
