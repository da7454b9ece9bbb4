/* A channel of a client: its consumers and unsettled deliveries, its answers and confirms in their
 * order, and its transaction. Thread: the vhost's owner. */
#ifndef BROKER_CHANNEL_H
#define BROKER_CHANNEL_H

#include "broker/call/sampled.h"
#include "broker/call/work.h"
#include "broker/channel/overdue.h"
#include "broker/channel/promise.h"
#include "broker/channel/unsettled.h"
#include "broker/channel/wait.h"
#include "leveret/base/map.h"
#include "leveret/broker/command.h"
#include "leveret/broker/counters.h"

struct channels;
struct notice_channel;
struct move;
struct peek;
struct peer;
struct queue;
struct route_memory;
struct spread;
struct tx;
struct reply_consumer;
struct waiting_get;

/* The list in which a channel stands for its first promise: none, channels.promises_due,
 * channels.promises_held. */
enum promise_list { PROMISE_UNLISTED, PROMISE_DUE, PROMISE_WAITING };

struct channel {
    struct peer *peer;
    struct channels *set;
    struct vhost *vhost; /* for the folders above this one; nothing here looks into it */
    uint16_t id;
    bool failed;           /* true: an error was sent; its commands do nothing until it is closed */
    bool leaving;          /* true: it has failed or is being closed: nothing is delivered to it */
    bool closing;          /* true: it is freed as soon as its held replies have left */
    bool confirm;          /* true: publishes are confirmed */
    bool timed_out;        /* true: it has failed because of an acknowledgement time-out */
    uint8_t promise_list;  /* enum promise_list */
    uint32_t prefetch;     /* of new consumers; 0: no limit */
    uint32_t prefetch_all; /* of all its consumers together; 0: no limit */
    uint32_t unsettled_consumers; /* unsettled deliveries to consumers, for prefetch_all */
    uint64_t number;              /* in channels.roster */

    uint64_t delivery_tag; /* the last tag that was given */
    struct unsettled unsettled;
    struct overdue overdue; /* tags that an acknowledgement time-out took from it */
    uint64_t overdue_after; /* while overdue deliveries go back in portions: the tag up to which
                               they have; 0: none are under way */
    uint64_t publish_seq;   /* the sequence number of the last publish, in confirm mode */
    uint64_t confirmed;     /* the sequence number up to which publishes are confirmed */
    struct promise_queue promises;
    TAILQ_ENTRY(channel) promise_link;
    TAILQ_ENTRY(channel) release_link; /* in channels.releasing */
    bool releasing;                    /* true: it stands in that list */

    struct consumer_list consumers; /* by channel_link */
    struct consumer_wait wait;      /* consumers that wait until the channel may take more */
    struct map consumer_map;        /* consumers by id */
    TAILQ_HEAD(, waiting_get) gets; /* basic.get commands that wait for a message to be read */
    struct route_memory *route;     /* the last route; NULL: none yet */
    struct tx *tx;                  /* NULL: not transactional */
    struct spread *spread;          /* a publish that goes on in the next call; NULL: none */
    struct peek *peek;              /* a COMMAND_PEEK under way; NULL: none */
    struct move *move;              /* what COMMAND_MOVE has begun; NULL: nothing */
    struct progress progress;       /* of the command under way */
    /* Queues that get messages back from this channel in portions, by due.link: they deliver
     * nothing until they have all of them, so that the messages keep their order. */
    TAILQ_HEAD(, queue) holds;
    struct reply_consumer *reply_consumer; /* NULL: it has no direct reply-to */
    uint32_t consumer_count;
    struct rates rates;
    struct sampled sampled;
    uint64_t changed_wall_ms; /* the start of the last walk (vhost/sample.c) that found its numbers
                                 changed; at first when it was made */
};

/* Makes a channel and adds it to channels.roster. Never NULL. */
struct channel *channel_new(struct peer *peer, uint16_t id);
/* Tells the event channel.created (made is true) or channel.closed. */
void channel_announce(const struct channel *channel, bool made);
/* The channel as traces name it; contains views into its peer. */
struct notice_channel channel_traced(const struct channel *channel);

/* ---- Answers. */

/* An event of this type for the channel; the caller fills in the rest. */
struct event channel_event(const struct channel *channel, enum event_type type);
/* Sends an event to the channel's peer at once. */
void channel_emit(struct channel *channel, const struct event *event);
/* Replies to a command that succeeded, unless it says no_wait. The reply is held until the changes
 * that the command journalled are on disk. */
void channel_reply(struct channel *channel, const struct command *command);
/* The same with a reply that the caller has begun by channel_event and filled in, held until the
 * batch `needed` is on disk. */
void channel_reply_event(struct channel *channel, const struct command *command,
                         struct event *reply, uint64_t needed);
/* The batch that a reply to the command under way waits for, its earlier portions included. */
uint64_t channel_needed(const struct channel *channel);
/* Says that the command under way is unfinished and is to be applied again. */
void channel_goes_on(struct channel *channel);
/* Replies that the command failed; the channel has failed with it. */
void channel_refuse(struct channel *channel, enum command_type command, enum status status,
                    const char *format, ...) __attribute__((format(printf, 4, 5)));

#endif
