/* A channel: the order of a client's commands, its consumers and unsettled deliveries, confirms or
 * a transaction. Thread: the vhost's owner. */
#ifndef BROKER_CHANNEL_H
#define BROKER_CHANNEL_H

#include "broker/call/work.h"
#include "broker/channel/overdue.h"
#include "broker/channel/promise.h"
#include "broker/channel/unsettled.h"
#include "broker/channel/wait.h"
#include "leveret/base/map.h"
#include "leveret/broker/vhost.h"

struct channels;
struct notice_channel;
struct peer;
struct queue;
struct route_memory;
struct spread;
struct tx;
struct reply_consumer;
struct waiting_get;

enum promise_list { PROMISE_UNLISTED, PROMISE_DUE, PROMISE_WAITING };

struct channel {
    struct peer *peer;
    struct channels *set;
    struct vhost *vhost; /* for what stands above channels; nothing here looks into it */
    uint16_t id;
    bool failed;  /* an error was told: nothing is done until it is closed */
    bool leaving; /* it has failed or gives up what it holds: nothing is delivered to it */
    bool closing; /* freed once its held replies are out */
    bool confirm;
    bool timed_out;               /* it has failed by an acknowledgement time-out */
    uint8_t promise_list;         /* enum promise_list */
    uint32_t prefetch;            /* for new consumers; 0: no limit */
    uint32_t prefetch_all;        /* over all consumers; 0: no limit */
    uint32_t unsettled_consumers; /* deliveries to consumers, for prefetch_all */
    uint64_t number;              /* in channels.roster */

    uint64_t delivery_tag; /* the last one given */
    struct unsettled unsettled;
    struct overdue overdue; /* tags that an acknowledgement time-out took from it */
    uint64_t overdue_after; /* while overdue ones are given back: they are up to this tag */
    uint64_t publish_seq;   /* the last one, in confirm mode */
    uint64_t confirmed;     /* up to here */
    struct promise_queue promises;
    TAILQ_ENTRY(channel) promise_link;
    TAILQ_ENTRY(channel) release_link; /* in channels.releasing */
    bool releasing;                    /* it stands there */

    struct consumer_list consumers; /* by channel_link */
    struct consumer_wait wait;      /* those that the channel blocks */
    struct map consumer_map;        /* by id */
    TAILQ_HEAD(, waiting_get) gets; /* that wait for the disk */
    struct route_memory *route;     /* the last route; NULL: none yet */
    struct tx *tx;                  /* NULL: not transactional */
    struct spread *spread;          /* a publish that goes on in the next call; NULL: none */
    struct progress progress;       /* of the command under way */
    /* Queues that get messages back from it in portions: they deliver nothing until they have all,
     * so that these keep their order. By due.link. */
    TAILQ_HEAD(, queue) holds;
    struct reply_consumer *reply_consumer;
    uint32_t consumer_count;
    struct rates rates;
};

struct channel *channel_new(struct peer *peer, uint16_t id);
/* Tells who listens to events that the channel was made, or is gone. */
void channel_announce(const struct channel *channel, bool made);
/* What a trace says of the channel; views of its peer. */
struct notice_channel channel_traced(const struct channel *channel);

/* ---- Answers. */

/* An event begun with its type and channel. */
struct event channel_event(const struct channel *channel, enum event_type type);
void channel_emit(struct channel *channel, const struct event *event);
/* A successful reply to command, unless no_wait; held when the command journalled something. */
void channel_reply(struct channel *channel, const struct command *command);
/* The batch that a reply to the command under way waits for, its earlier portions included. */
uint64_t channel_needed(const struct channel *channel);
/* The command under way goes on when it is applied again. */
void channel_goes_on(struct channel *channel);
/* The same with a reply that the caller has filled in (begun by channel_event); needed: the batch.
 */
void channel_reply_event(struct channel *channel, const struct command *command,
                         struct event *reply, uint64_t needed);
/* The command fails, and the channel with it. */
void channel_refuse(struct channel *channel, enum command_type command, enum status status,
                    const char *format, ...) __attribute__((format(printf, 4, 5)));

#endif
