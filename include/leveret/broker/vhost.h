/* A virtual host, which is the pure core. It is a deterministic state machine: commands and the
 * time go in; events, journal records and a deadline come out. It has no socket, loop, thread or
 * clock.
 *
 * Thread: the vhost's owner; no other thread touches anything behind this header.
 *
 * Normal course of a message: vhost_apply(COMMAND_PUBLISH) → command/publish_command.c →
 * publish/publish.c → topology/route.c → queue/intake.c → journal_append, and queue/dispatch.c →
 * EVENT_DELIVER. Later COMMAND_ACK → command/settle_command.c → journal_settle; vhost_committed →
 * channel/promise.c → EVENT_CONFIRM.
 *
 * What can go wrong: a command is refused: EVENT_REPLY says why, and its channel has failed
 * (command.h). A command is more work than one call may do: the call says that it is unfinished,
 * and the caller calls vhost_go_on in a later turn. */
#ifndef LEVERET_BROKER_VHOST_H
#define LEVERET_BROKER_VHOST_H

#include "leveret/base/account.h"
#include "leveret/base/dialect.h"
#include "leveret/broker/census.h"
#include "leveret/broker/command.h"
#include "leveret/broker/counters.h"
#include "leveret/broker/queue_type.h"
#include "leveret/journal/journal.h"

struct vhost;

/* The time, handed in with each call that needs it. */
struct moment {
    uint64_t steady_ms; /* for intervals: x-expires, time-outs */
    uint64_t wall_ms;   /* for times that are stored: message expiry, timestamps */
};

/* Limits of a vhost that may change while it is in use. */
struct vhost_limits {
    size_t resident_bytes_max;    /* bytes of messages in memory; above it transient messages are
                                     paged out to disk */
    uint64_t message_bytes_max;   /* bytes of a message's body; a larger one is refused with
                                     PRECONDITION_FAILED */
    uint64_t consumer_timeout_ms; /* how long a delivery may stay unsettled; after that its consumer
                                     is cancelled, or its channel fails; 0: for ever */
};

/* Whether a user may publish to an exchange by a routing key. */
struct publish_question {
    struct bytes user, exchange, routing_key;
    bool topic; /* true: the exchange is a topic exchange, so that topic permissions count */
};

struct vhost_options {
    struct bytes name;
    struct journal *journal; /* not owned */
    /* For the names of direct replies and for what exchanges of type x-random pick; unpredictable
     * in production. */
    uint64_t random_seed;
    /* Gets each event; owner: the peer's peer_options.owner. Must not call back into the vhost. */
    void (*event)(void *context, void *owner, const struct event *event);
    void *context;
    struct vhost_limits limits; /* at first; vhost_set_limits changes them */
    struct bytes node_name;     /* copied; stands in traces */
    struct dialect dialect;
    bool announces; /* true: the vhost has the exchanges of events and log lines */
    /* Called for each event (an exchange, queue, binding … was made or has gone) while vhost_watch
     * is on; event: "queue.created" …; headers: a table's contents. */
    void (*told)(void *context, const char *event, struct bytes headers);
    /* Called when something happens that an operator should know; text: one sentence. May be NULL.
     */
    void (*warn)(void *context, const char *text);
    /* Returns true when the user may publish so; NULL: everybody may. For COMMAND_MOVE alone: a
     * session asks before it sends a COMMAND_PUBLISH. */
    bool (*may_publish)(void *context, const struct publish_question *question);
    /* Called after recovery and after each change: whether anything is bound to this vhost's
     * exchange of events, and of log lines. May be NULL. */
    void (*listened)(void *context, bool events, bool log);
    /* Counts the memory that clients make this vhost hold, but for bytes of messages, which the
     * host reads with vhost_resident_bytes; NULL: nothing is counted or refused. Not owned. */
    struct account *account;
    struct census *census; /* counts the queues and exchanges of all vhosts; NULL: nobody does. Not
                              owned */
    /* Bytes of deliveries under way to one peer (delivery_bytes) at which its consumers get no more
     * until COMMAND_CREDIT. */
    uint32_t peer_window_bytes;
    /* Units of work (docs/architecture.md, "Work") after which a call stops and is unfinished; 0:
     * no call stops. */
    uint32_t portion;
};

/* What a call has cost, and whether it is finished. */
struct applied {
    uint32_t units;  /* of work; plain commands cost none */
    bool unfinished; /* true: there is more to do, and the same command is to go on */
};

/* Makes a vhost with its predeclared exchanges, which are not journalled. Copies options. Never
 * NULL. */
struct vhost *vhost_new(const struct vhost_options *options);
/* What an administrator may change while the vhost is in use. */
struct vhost_tuning {
    uint64_t queues_max; /* a declaration of one more queue is refused with PRECONDITION_FAILED;
                            UINT64_MAX: no limit */
    bool tracing; /* true: published and delivered messages are copied to amq.rabbitmq.trace */
    /* The type of a durable queue that is neither exclusive nor auto-delete and whose declaration
     * does not say its type. Any other queue whose declaration does not say it is classic. */
    enum queue_type default_queue_type;
};
void vhost_tune(struct vhost *vhost, const struct vhost_tuning *tuning);
/* on: whether options.told is to be called. */
void vhost_watch(struct vhost *vhost, bool on);
/* Publishes an event of the node, or a line of its log, to amq.rabbitmq.event or amq.rabbitmq.log.
 * headers: a checked table's contents. */
enum announcement { ANNOUNCE_EVENT, ANNOUNCE_LOG };
void vhost_announce(struct vhost *vhost, enum announcement announcement, struct bytes key,
                    struct bytes headers, struct bytes body, struct moment now);
/* Frees the vhost and its peers, sending no events. */
void vhost_free(struct vhost **vhost);

/* Reads back what the journal holds (calls journal_recover); to be called before the first command.
 * Errors: as journal_recover, and CORRUPT for a definition that is not valid; *error says more (the
 * caller frees it). */
MUST_USE enum status vhost_recover(struct vhost *vhost, struct moment now, char **error);

struct peer_options {
    void *owner; /* handed to vhost_options.event with the peer's events */
    /* For listings; copied. */
    struct bytes name; /* "127.0.0.1:5000 -> 127.0.0.1:5672" */
    struct bytes user;
    bool notify_cancel; /* true: the client has the capability consumer_cancel_notify */
};
/* Makes a peer. */
struct peer *vhost_attach(struct vhost *vhost, const struct peer_options *options,
                          struct moment now);
/* The connection is gone: gives deliveries back, deletes exclusive queues, sends EVENT_DETACHED and
 * frees the peer. Unfinished: it is to be called again, and no command of the peer may be applied
 * before. */
struct applied vhost_detach(struct vhost *vhost, struct peer *peer, struct moment now);

/* Does one command, or a portion of it. Events may be sent before it returns. Unfinished:
 * vhost_go_on is to be called with the same command, in later turns and until it is finished,
 * before any other command of the peer. vhost_go_on does not look at the message of a publish,
 * which the core has taken over. */
struct applied vhost_apply(struct vhost *vhost, struct peer *peer, const struct command *command,
                           struct moment now);
struct applied vhost_go_on(struct vhost *vhost, struct peer *peer, const struct command *command,
                           struct moment now);

/* ---- What the journal reports (leveret/journal/journal.h), handed on by the host. */

void vhost_committed(struct vhost *vhost, uint64_t batch, struct moment now);
void vhost_paged_in(struct vhost *vhost, struct journal_page *page, struct moment now);
/* The lane cannot be read just now (IO, NO_MEMORY), or can be read again (OK). */
void vhost_stalled(struct vhost *vhost, struct journal_lane *lane, enum status status);
void vhost_paged_out(struct vhost *vhost, struct journal_lane *lane, uint64_t chunk,
                     enum status status);

/* ---- Turns and time. */

/* To be called at the end of a turn of the host's loop, after its commands and before
 * journal_flush: sends the confirms that do not wait for the disk, as few as possible for each
 * channel. Cheap when there are none. */
void vhost_flush(struct vhost *vhost, struct moment now);
/* True: the journal must not be flushed now. A transaction is half committed, and all its records
 * belong into one batch. */
bool vhost_holds_batch(const struct vhost *vhost);

/* Does a bounded amount of what is due (expiry of messages and queues, time-outs, work that other
 * calls left); it is to be called again when vhost_deadline_ms says so. */
struct applied vhost_tick(struct vhost *vhost, struct moment now);
/* The steady_ms at which vhost_tick has something to do; UINT64_MAX: never. */
uint64_t vhost_deadline_ms(const struct vhost *vhost);

/* Replaces the limits of vhost_options. The new consumer_timeout_ms holds for unsettled deliveries,
 * too. */
void vhost_set_limits(struct vhost *vhost, const struct vhost_limits *limits, struct moment now);

/* Bytes of messages in memory. */
size_t vhost_resident_bytes(const struct vhost *vhost);

/* ---- Listings for the API. Views in them point into the vhost and last until the next call that
 * changes it; the caller copies what it keeps. */

/* queue_info.delivery_limit of a queue that does not count how often messages come back, and of one
 * that counts it but has no limit. */
#define QUEUE_DELIVERY_UNCOUNTED UINT64_MAX
#define QUEUE_DELIVERY_UNLIMITED (UINT64_MAX - 1)
/* The priorities of messages in a quorum queue are 0 … QUEUE_PRIORITIES - 1; a message with a
 * higher one counts as having the highest, a message without one as having QUEUE_PRIORITY_MIDDLE.
 */
#define QUEUE_PRIORITIES      32u
#define QUEUE_PRIORITY_MIDDLE 4u
struct queue_info {
    struct bytes name, arguments;
    bool durable, auto_delete, exclusive;
    struct bytes owner_name; /* the connection of an exclusive queue */
    uint64_t messages_ready, messages_unacknowledged, ready_bytes, unacknowledged_bytes;
    uint64_t messages_persistent, messages_ram;
    uint64_t messages_ready_ram;          /* those of messages_ready that are in memory */
    uint64_t ram_bytes, persistent_bytes; /* of bodies: of messages_ram, of messages_persistent */
    /* For samples (leveret/broker/sample.h). */
    uint64_t sample_number, born_wall_ms, born_ready;
    bool sampled_before;
    uint64_t disk_reads, disk_writes;
    uint64_t able_ms;
    bool able;                        /* true: a ready message could go to a consumer now */
    uint64_t messages_ready_returned; /* those that may have been delivered before */
    /* How many messages of each priority are ready, from priority 0 on: QUEUE_PRIORITIES numbers of
     * type uint64_t, which need not be aligned. Empty: the queue is not a quorum queue, or no
     * message in it has ever had a priority. */
    struct bytes ready_by_priority;
    uint64_t messages_dlx; /* those of messages_unacknowledged that wait to be dead-lettered */
    /* Dead letters that were dropped since the start because dead-lettering had made too many of
     * one message. */
    uint64_t dead_letters_dropped;
    uint64_t memory_bytes;
    uint32_t consumers;
    uint64_t idle_since_wall_ms;
    uint64_t deduplicated; /* messages that were refused because the queue had seen them before */
    struct rates rates;
    bool failed;  /* true: its stored messages cannot be read; the log says why */
    bool paused;  /* true: it delivers nothing (COMMAND_QUEUE_PAUSE) */
    bool stalled; /* true: its stored messages cannot be read just now; reading is tried again */
    struct bytes policy, operator_policy; /* names; empty: no such policy applies */
    struct bytes effective_definition;    /* what both say together: a table's contents */
    uint64_t delivery_limit;              /* of returns; or QUEUE_DELIVERY_… */
    struct bytes exclusive_consumer;      /* the tag of its exclusive consumer; empty: none */
    struct bytes single_active_consumer;  /* the tag of its single active consumer; empty: none */
};
struct exchange_info {
    struct bytes name, type, arguments;
    bool durable, auto_delete, internal;
    uint64_t publish_in, publish_out;
    uint64_t unroutable_returned, unroutable_dropped;
    uint64_t bindings; /* that lead from it; none is counted of the default exchange */
    uint64_t sample_number, born_wall_ms; /* for samples (leveret/broker/sample.h) */
    bool sampled_before;
    uint64_t deduplicated;     /* messages that were not routed because it had seen them before */
    bool delays;               /* true: its type is x-delayed-message */
    uint64_t messages_delayed; /* messages that wait in it */
    struct bytes policy;       /* the name of its policy; empty: none applies */
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
    bool active;        /* false: another consumer is the single active one of its queue */
    bool single_active; /* true: it is the single active one of its queue */
    uint32_t prefetch_count;
    uint64_t timeout_ms; /* how long a delivery may stay unsettled; 0: for ever */
    int64_t priority;
};
struct channel_info {
    struct bytes peer_name, user;
    uint16_t number;
    bool confirm, transactional;
    uint32_t prefetch_count, global_prefetch_count, consumers;
    uint64_t messages_unacknowledged, messages_unconfirmed, messages_uncommitted, acks_uncommitted;
    struct rates rates;
    uint64_t sample_number, born_wall_ms; /* for samples (leveret/broker/sample.h) */
    bool sampled_before;
    /* Since when nothing was counted on it, as the last walk over all channels has found; 0: that
     * walk has found it busy. */
    uint64_t idle_since_wall_ms;
};
struct vhost_totals {
    uint64_t queues, exchanges, bindings, consumers, channels, peers;
    uint64_t messages_ready, messages_unacknowledged;
    uint64_t disk_reads, disk_writes; /* messages, since the vhost was opened, like rates */
    uint64_t born_wall_ms,
        born_ready; /* when it was opened, and the messages that were ready then */
    struct rates rates;
    struct counters counters;
};

/* Each vhost_list_ function fills at most max infos, beginning after the object that *after names
 * (0 at first; it is moved forwards), and returns how many; 0 at the end. An object that is made or
 * deleted between two calls may be missed; no object is listed twice. */
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
/* False: there is no object of this name, and *out is left alone. */
bool vhost_find_queue(struct vhost *vhost, struct bytes name, struct queue_info *out);
bool vhost_find_policy(struct vhost *vhost, bool operator_policy, struct bytes name,
                       struct policy_info *out);
bool vhost_find_exchange(struct vhost *vhost, struct bytes name, struct exchange_info *out);

#endif
