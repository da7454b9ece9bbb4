/* What goes into the core (commands) and what comes out of it (events). Plain values: a command or
 * an event is a struct that can be copied into another worker's mailbox. Thread: any; the vhost's
 * owner takes commands and makes events.
 *
 * Who is who. A *peer* is the core's side of one connection (or of another user of a vhost, such
 * as the HTTP API): its channels, consumers, unsettled deliveries, exclusive queues. The peer is
 * made by vhost_attach and named in each command; the core names the connection in each event by
 * the opaque owner it was attached with. Channels are numbers; one is opened and closed by
 * commands.
 *
 * Errors. A failed command ends with EVENT_REPLY that has a status other than OK and a text
 * (without the code's name: "no queue 'q' in vhost '/'"). The channel is then failed: the core
 * ignores whatever comes for it until COMMAND_CHANNEL_CLOSE, as the session drops what the client
 * sends until close-ok. Statuses that AMQP makes connection errors (NOT_ALLOWED, NOT_IMPLEMENTED,
 * INTERNAL_ERROR …) come the same way.
 *
 * Ownership. Views in a command need to last only for the call of vhost_apply; message references
 * in a command are taken by the core. Views and messages in an event last only for the call of the
 * event callback; who keeps a message takes a reference. */
#ifndef LEVERET_BROKER_COMMAND_H
#define LEVERET_BROKER_COMMAND_H

#include "leveret/base/bytes.h"
#include "leveret/base/message.h"
#include "leveret/base/status.h"

struct peer;

/* What a policy applies to. */
enum policy_target {
    POLICY_ALL,
    POLICY_QUEUES,
    POLICY_CLASSIC_QUEUES,
    POLICY_QUORUM_QUEUES,
    POLICY_STREAMS,
    POLICY_EXCHANGES,
};

enum command_type {
    /* Channel and connection; all but publish, ack, credit are answered by EVENT_REPLY. */
    COMMAND_CHANNEL_OPEN,
    COMMAND_CHANNEL_CLOSE, /* requeues, ends consumers; replied when done */
    COMMAND_CREDIT,        /* credit.bytes of deliveries have left for the socket; never replied */
    COMMAND_CONFIRM_SELECT,
    COMMAND_TX_SELECT,
    COMMAND_TX_COMMIT, /* replied once on disk */
    COMMAND_TX_ROLLBACK,
    /* Exchanges, queues, bindings. */
    COMMAND_EXCHANGE_DECLARE,
    COMMAND_EXCHANGE_DELETE,
    COMMAND_EXCHANGE_BIND,
    COMMAND_EXCHANGE_UNBIND,
    COMMAND_QUEUE_DECLARE,
    COMMAND_QUEUE_DELETE,
    COMMAND_QUEUE_PURGE,
    COMMAND_QUEUE_BIND,
    COMMAND_QUEUE_UNBIND,
    /* Messages. */
    COMMAND_PUBLISH,
    COMMAND_CONSUME,
    COMMAND_CANCEL,
    COMMAND_GET,
    COMMAND_QOS,
    COMMAND_RECOVER, /* requeue all that is unsettled on the channel */
    COMMAND_ACK,     /* an unknown tag fails the channel, here and below */
    COMMAND_NACK,    /* basic.nack */
    COMMAND_REJECT,  /* the same by basic.reject: told apart for the answer when it fails */
    /* Policies: from the HTTP API, on its own channel. */
    COMMAND_POLICY_PUT,    /* makes or replaces; PRECONDITION_FAILED when it makes no sense */
    COMMAND_POLICY_DELETE, /* NOT_FOUND when there is none */
    COMMAND_NONE,          /* in an EVENT_REPLY that fails the channel for no command: a time-out */
};

struct command {
    enum command_type type;
    uint16_t channel;
    bool no_wait; /* no reply on success (errors are reported all the same) */
    union {
        struct {
            uint32_t bytes;
        } credit;
        struct {
            struct bytes name, type, arguments; /* arguments: a checked table's contents */
            bool passive, durable, auto_delete, internal;
        } exchange_declare;
        struct {
            struct bytes name;
            bool if_unused;
        } exchange_delete;
        struct {
            struct bytes source, destination, routing_key, arguments;
        } bind; /* COMMAND_{EXCHANGE,QUEUE}_{BIND,UNBIND} */
        struct {
            struct bytes name, arguments;
            bool passive, durable, exclusive, auto_delete;
            bool server_named; /* the name is not the client's: it may begin with "amq." */
        } queue_declare;
        struct {
            struct bytes name;
            bool if_unused, if_empty;
        } queue_delete;
        struct {
            struct bytes name;
        } queue_purge;
        struct {
            struct message *message; /* reference taken; exchange and routing key are in it */
            bool mandatory;
        } publish; /* counted for confirms by the core when the channel is in confirm mode */
        struct {
            struct bytes queue, arguments;
            struct bytes tag; /* the consumer tag, for listings */
            uint32_t
                consumer; /* the session's number for it on this channel; comes back in events */
            bool no_ack, exclusive;
        } consume;
        struct {
            uint32_t consumer;
        } cancel;
        struct {
            struct bytes queue;
            bool no_ack;
        } get;
        struct {
            uint16_t prefetch_count; /* 0: no limit */
            bool global;
        } qos;
        struct {
            uint64_t tag; /* 0 with multiple: all */
            bool multiple;
            bool requeue; /* COMMAND_NACK, COMMAND_REJECT */
        } ack;
        struct {
            bool operator_policy;
            struct bytes name, pattern; /* pattern: a regular expression (PCRE2), unanchored */
            struct bytes definition;    /* a checked table's contents: "max-length" … */
            int64_t priority;
            enum policy_target target;
        } policy; /* DELETE: operator_policy and name alone */
    } u;
};

enum event_type {
    EVENT_REPLY, /* the answer to a command, or the failure of one that has none */
    EVENT_DELIVER,
    EVENT_RETURN, /* a mandatory message came back; before its confirm */
    EVENT_CONFIRM,
    EVENT_CANCELLED, /* the core ended a consumer (queue deleted, acknowledgement time-out …); never
                        for COMMAND_CANCEL */
    EVENT_GATE,      /* publishing: go on, or hold; the host's word, not the core's */
    EVENT_PACE,      /* publishing: it outruns consumers, or no longer */
    EVENT_DETACHED, /* the last event of a peer; the core has forgotten it */
};

enum publish_gate {
    GATE_OPEN,
    GATE_BUSY,   /* the journal is behind: persistent messages are held, nothing is said */
    GATE_ALARM,  /* the disk is short: all are held, connection.blocked says why */
    GATE_MEMORY, /* the same for memory, which open transactions must not keep for ever */
};

struct event {
    enum event_type type;
    uint16_t channel; /* 0 for events of the whole connection (GATE, PACE, DETACHED) */
    union {
        struct {
            enum command_type command; /* what is answered */
            enum status status;
            const char *text;   /* on failure: the explanation, zero-ended */
            struct bytes name;  /* QUEUE_DECLARE: the queue's name */
            uint32_t messages;  /* QUEUE_DECLARE, DELETE, PURGE; GET: left in the queue */
            uint32_t consumers; /* QUEUE_DECLARE */
            uint32_t consumer;  /* CONSUME, CANCEL: the session's number */
            bool empty;         /* GET: true when there was no message; else `got` holds it */
            bool no_wait;       /* the command's; on success such a reply is not sent by the core */
        } reply;
        struct {
            struct message *message;
            uint64_t tag;      /* delivery tag on this channel */
            uint32_t consumer; /* the session's number */
            bool redelivered;
        } deliver;
        struct {
            struct message *message;
            enum status status; /* NO_ROUTE */
        } returned;
        struct {
            uint64_t upto; /* sequence number on the channel */
            bool multiple; /* all up to it that are still open */
            bool nack;
        } confirm;
        struct {
            uint32_t consumer;
        } cancelled;
        struct {
            enum publish_gate gate;
            const char *text; /* of an alarm: "low on memory", or a sentence */
        } gate;
        struct {
            bool slow;
        } pace;
    } u;
    /* EVENT_REPLY to COMMAND_GET with a message: */
    struct {
        struct message *message;
        uint64_t tag;
        bool redelivered;
    } got;
};

/* What a delivery (EVENT_DELIVER, not an answer to COMMAND_GET) counts in the peer's window of
 * bytes under way: the session adds these up as deliveries leave, and gives them back with
 * COMMAND_CREDIT. */
static inline uint32_t delivery_bytes(const struct message *message)
{
    uint64_t bytes = message->body_bytes + message->envelope_bytes + 64;
    return bytes > UINT32_MAX ? UINT32_MAX : (uint32_t)bytes;
}

#endif
