/* What goes into the core (commands) and what comes out of it (events). Plain values: a command or
 * an event is a struct that can be copied into another worker's mailbox. Thread: any; the vhost's
 * owner takes commands and makes events.
 *
 * Peers. A *peer* is the core's side of one connection (or of another user of a vhost, such as the
 * HTTP API), with its channels, consumers, unsettled deliveries and exclusive queues. vhost_attach
 * makes a peer, and each call of vhost_apply names the peer that its command comes from. Each event
 * names the peer's `owner`, an opaque pointer that was handed to vhost_attach. A channel is a
 * number; commands open and close it.
 *
 * Errors. A command that is refused is answered by an EVENT_REPLY with a status other than OK and a
 * text (without the reply code's name: "no queue 'q' in vhost '/'"). The channel has then failed:
 * the core drops all commands for it until COMMAND_CHANNEL_CLOSE, as the session drops what the
 * client sends until close-ok. Statuses that are connection errors in AMQP (NOT_ALLOWED,
 * NOT_IMPLEMENTED, INTERNAL_ERROR …) are reported in the same way.
 *
 * Ownership. Views in a command need to last only for the call of vhost_apply; the core takes over
 * the reference to a command's message. Views and messages in an event last only for the call of
 * the event callback, which takes a reference to a message that it keeps. */
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
    /* EVENT_REPLY answers each command but publish, ack, nack, reject and credit. */
    /* Channels and connections. */
    COMMAND_CHANNEL_OPEN,
    COMMAND_CHANNEL_CLOSE, /* gives deliveries back, ends consumers; answered when that is done */
    COMMAND_CREDIT,        /* credit.bytes of deliveries have left for the socket */
    COMMAND_CONFIRM_SELECT,
    COMMAND_TX_SELECT,
    COMMAND_TX_COMMIT, /* answered when it is on disk */
    COMMAND_TX_ROLLBACK,
    /* Exchanges, queues, bindings. */
    COMMAND_EXCHANGE_DECLARE,
    COMMAND_EXCHANGE_DELETE,
    COMMAND_EXCHANGE_BIND,
    COMMAND_EXCHANGE_UNBIND,
    COMMAND_QUEUE_DECLARE,
    COMMAND_QUEUE_DELETE,
    COMMAND_QUEUE_PURGE,
    COMMAND_QUEUE_PAUSE, /* the queue delivers nothing, or delivers again */
    COMMAND_QUEUE_BIND,
    COMMAND_QUEUE_UNBIND,
    COMMAND_TOPIC_CHECK, /* sent before a command whose routing key the user's topic permissions do
                            not allow: fails the channel when the exchange is a topic exchange;
                            never answered otherwise */
    /* Messages. */
    COMMAND_PUBLISH,
    COMMAND_CONSUME,
    COMMAND_CANCEL,
    COMMAND_GET,
    COMMAND_PEEK, /* shows messages and changes nothing: EVENT_PEEKED for each, then the reply */
    COMMAND_DROP_MESSAGE, /* removes one ready message; NOT_FOUND: it is gone; RESOURCE_LOCKED: a
                             consumer has it */
    COMMAND_MOVE, /* moves a portion of a queue's messages: EVENT_MOVED, then the reply when that is
                     on disk. The first one of a channel begins; the next ones go on */
    COMMAND_QOS,
    COMMAND_RECOVER, /* requeues all unsettled deliveries of the channel */
    COMMAND_ACK,     /* an unknown tag fails the channel; so with COMMAND_NACK, COMMAND_REJECT */
    COMMAND_NACK,    /* basic.nack */
    COMMAND_REJECT,  /* basic.reject: as COMMAND_NACK, but a requeued message counts as failed */
    /* Policies: from the HTTP API, on its own channel. */
    COMMAND_POLICY_PUT,    /* makes or replaces a policy; PRECONDITION_FAILED: it is not valid */
    COMMAND_POLICY_DELETE, /* NOT_FOUND: there is no policy of this name */
    COMMAND_NONE,          /* in an EVENT_REPLY that fails the channel for a time-out */
};

/* The states of a message in a queue, to be added up. */
#define MESSAGE_STATE_READY   1u
#define MESSAGE_STATE_UNACKED 2u /* delivered, and not settled */
#define MESSAGE_STATE_DYING   4u /* it waits to be dead-lettered */
#define MESSAGE_STATE_ALL     7u

/* Messages that COMMAND_PEEK shows at most; it is refused when it asks for more. */
#define PEEK_MAX 1000u

/* What names a message as long as it is in its queue. */
struct message_place {
    uint32_t lane; /* the number of its lane */
    uint64_t seq;
};

/* Where COMMAND_MOVE sends a message. */
enum move_target {
    MOVE_TO_QUEUE,
    MOVE_TO_EXCHANGE,
    MOVE_TO_SOURCE, /* a dead letter: the queue in which it died first */
    MOVE_TO_ORIGIN, /* a dead letter: the exchange and keys that it was first published with */
};

/* Why a message was not moved. */
enum move_skip {
    MOVE_NO_DEAD_LETTER, /* MOVE_TO_SOURCE, MOVE_TO_ORIGIN: nothing tells where it came from */
    MOVE_NO_QUEUE,       /* the queue that it would go to does not exist */
    MOVE_NO_EXCHANGE,    /* the same for the exchange */
    MOVE_NO_ROUTE,       /* no other queue is bound there */
    MOVE_SAME_QUEUE,     /* it would go to the queue that it is in */
    MOVE_NOT_ALLOWED,    /* the user may not publish there */
    MOVE_SKIPS,
};

/* What a COMMAND_MOVE has done. */
struct moved {
    uint32_t moved;
    uint64_t bytes; /* of their bodies */
    uint32_t skipped[MOVE_SKIPS];
    uint64_t left; /* messages that are still to be moved or skipped */
    bool done;     /* true: all have been looked at */
    bool blocked;  /* true: the queue that the next one is to go to refuses it now */
};

struct command {
    enum command_type type;
    uint16_t channel;
    bool no_wait; /* true: no reply on success (errors are reported all the same) */
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
            struct bytes exchange, routing_key, user;
            enum command_type checked; /* the command that follows; a refusal answers it */
        } topic_check;
        struct {
            struct bytes name, arguments;
            bool passive, durable, exclusive, auto_delete;
            bool server_named; /* true: the session chose the name, which may begin with "amq." */
        } queue_declare;
        struct {
            struct bytes name;
            bool if_unused, if_empty;
        } queue_delete;
        struct {
            struct bytes name;
        } queue_purge;
        struct {
            struct bytes name;
            bool paused; /* true: it is to deliver nothing until this is taken back */
        } queue_pause;
        struct {
            struct message *message; /* its reference is taken over; names exchange and key */
            bool mandatory;
        } publish; /* in confirm mode the core numbers it: event.confirm.upto */
        struct {
            struct bytes queue, arguments;
            struct bytes tag;  /* the consumer tag, for listings */
            uint32_t consumer; /* the session's number for it on this channel, used in events */
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
            struct bytes queue;
            struct message_place from; /* seq 0: the head */
            uint64_t offset;           /* messages to skip at first */
            uint32_t count;
            uint8_t states;
            bool from_tail; /* true: the last messages, the newest first; `from` is not used */
        } peek;
        struct {
            struct bytes queue;
            struct message_place place;
        } drop_message;
        struct {
            struct bytes queue, to_queue;
            struct bytes exchange, routing_key;
            struct message_place only; /* seq 0: all messages */
            uint32_t count;            /* at most so many in this portion */
            enum move_target target;
            bool own_key; /* true: MOVE_TO_EXCHANGE by the message's own routing key */
            bool restore_expiration, dry;
            bool unchecked; /* true: whether the user may publish there is not asked */
        } move;
        struct {
            uint16_t prefetch_count; /* 0: no limit */
            bool global;
        } qos;
        struct {
            uint64_t tag;  /* with multiple 0 means all deliveries */
            bool multiple; /* true: all deliveries up to tag */
            bool requeue;  /* COMMAND_NACK, COMMAND_REJECT: false: dead-letters or drops */
        } ack;
        struct {
            bool operator_policy;
            struct bytes name, pattern; /* pattern: a regular expression (PCRE2), unanchored */
            struct bytes definition;    /* a checked table's contents: "max-length" … */
            int64_t priority;
            enum policy_target target;
        } policy; /* COMMAND_POLICY_DELETE reads operator_policy and name alone */
    } u;
};

enum event_type {
    EVENT_REPLY, /* the answer to a command; the failure of a command that is not answered */
    EVENT_DELIVER,
    EVENT_PEEKED,
    EVENT_MOVED,
    EVENT_RETURN, /* a mandatory message had no route; comes before its confirm */
    EVENT_CONFIRM,
    EVENT_CANCELLED, /* the core ended a consumer (queue deleted, acknowledgement time-out …);
                        never for COMMAND_CANCEL */
    EVENT_GATE,      /* publishes are to be held, or may go on; made by the host, not the core */
    EVENT_PACE,      /* the peer publishes faster than consumers take (pace.slow), or no longer */
    EVENT_DETACHED,  /* the last event of a peer, which does not exist any more */
};

/* What the sessions of a vhost do with publishes. */
enum publish_gate {
    GATE_OPEN,
    GATE_BUSY,   /* the journal is behind: persistent messages are held; the client is not told */
    GATE_ALARM,  /* the disk is short: all messages are held, connection.blocked says why */
    GATE_MEMORY, /* memory is short: the same, and a transaction that publishes more is refused */
};

/* A message that COMMAND_PEEK shows. */
struct peeked {
    struct message *message; /* in the form in which receivers get it */
    struct message_place place;
    uint64_t position;   /* how many messages of the wanted states stand before it */
    uint64_t expires_ms; /* wall clock; 0: never */
    uint32_t returns;    /* how often it has come back; 0 in a queue that does not count it */
    uint8_t state;       /* one of MESSAGE_STATE_… */
    bool redelivered;    /* true: its next delivery will be marked so */
    /* Of an unacked message: the delivery. Empty and 0 when it was settled meanwhile. */
    struct bytes peer_name, consumer_tag; /* the tag is empty after COMMAND_GET */
    uint16_t channel;
    uint64_t delivery_tag;
    uint64_t since_ms; /* wall clock, when it was delivered, rounded up to a second */
};

struct event {
    enum event_type type;
    uint16_t channel; /* 0 for events of the whole connection (GATE, PACE, DETACHED) */
    union {
        struct {
            enum command_type command; /* the command that is answered */
            enum status status;
            const char *text;  /* on failure: the reason, zero-ended */
            struct bytes name; /* QUEUE_DECLARE: the queue's name */
            uint32_t
                messages; /* QUEUE_DECLARE, DELETE, PURGE; GET: left in the queue; PEEK: shown */
            uint32_t consumers; /* QUEUE_DECLARE */
            uint32_t consumer;  /* CONSUME, CANCEL: the session's number */
            bool empty;         /* GET: true when there was no message; false: `got` has it */
            bool no_wait;       /* that of the command; the core makes no such reply on success */
        } reply;
        struct {
            struct message *message;
            uint64_t tag;      /* delivery tag on this channel */
            uint32_t consumer; /* the session's number */
            bool redelivered;
        } deliver;
        struct {
            const struct peeked *peeked;
        } peeked;
        struct {
            const struct moved *moved;
        } moved;
        struct {
            struct message *message;
            enum status status; /* NO_ROUTE */
        } returned;
        struct {
            uint64_t upto; /* number of the publish on the channel, from 1 on */
            bool multiple; /* true: all publishes up to it that are not confirmed yet */
            bool nack;
        } confirm;
        struct {
            uint32_t consumer;
        } cancelled;
        struct {
            enum publish_gate gate;
            const char *text; /* for an alarm: "low on memory", or a sentence */
        } gate;
        struct {
            bool slow; /* true: the connection is to be read more slowly */
        } pace;
    } u;
    /* EVENT_REPLY to COMMAND_GET with a message: */
    struct {
        struct message *message;
        uint64_t tag;
        bool redelivered;
    } got;
};

/* Bytes that a delivery (EVENT_DELIVER, not an answer to COMMAND_GET) counts in the peer's window
 * of deliveries under way: the session adds them up as deliveries leave for the socket, and gives
 * them back with COMMAND_CREDIT. */
static inline uint32_t delivery_bytes(const struct message *message)
{
    uint64_t bytes = message->body_bytes + message->envelope_bytes + 64;
    return bytes > UINT32_MAX ? UINT32_MAX : (uint32_t)bytes;
}

#endif
