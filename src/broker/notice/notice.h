/* Notices: messages that the broker itself writes. Two kinds: traces of what is published and
 * delivered (amq.rabbitmq.trace, in each vhost), and announcements that come from outside the core
 * (events, log lines: amq.rabbitmq.event and amq.rabbitmq.log, in one vhost of the node). And the
 * events that this vhost has to tell, wherever they are announced. Thread: the vhost's owner.
 *
 * Normal course: a notice is written while a command is done and waits; before the call into the
 * core ends it is published as any message. What can go wrong: nobody listens: it is routed nowhere
 * and dropped. Notices are not traced, so that they do not breed. */
#ifndef BROKER_NOTICE_H
#define BROKER_NOTICE_H

#include "leveret/base/text.h"
#include "leveret/broker/vhost.h"

#define NOTICE_TRACE_EXCHANGE "amq.rabbitmq.trace" /* in each vhost, of type topic */
#define NOTICE_EVENT_EXCHANGE "amq.rabbitmq.event"
#define NOTICE_LOG_EXCHANGE   "amq.rabbitmq.log"

struct channel;
struct consumer;
struct exchange;
struct binding;
struct queue;
struct route_result;

struct notices {
    struct message **messages;
    size_t count, room;
};
void notices_free(struct notices *notices);
/* Publishes what waits; returns whether there was anything. */
bool notices_send(struct vhost *vhost);

/* The exchanges of the broker's own: made with the vhost. */
void notices_declare(struct vhost *vhost);
/* Recovery is over; a binding has come or gone: whether somebody listens to events and log lines.
 */
void notices_recovered(struct vhost *vhost);
void notices_bound(struct vhost *vhost, const struct binding *binding);

/* ---- Traces (https://www.rabbitmq.com/firehose.html), when the vhost is traced. */
void trace_published(struct channel *channel, const struct message *message,
                     const struct route_result *route);
void trace_delivered(struct channel *channel, const struct queue *queue,
                     const struct message *message, bool redelivered);

/* ---- Events (https://www.rabbitmq.com/event-exchange.html), when somebody listens. "made": it has
 * come, else it has gone. */
void event_queue(const struct queue *queue, bool made);
void event_exchange(struct vhost *vhost, const struct exchange *exchange, bool made);
void event_binding(struct vhost *vhost, const struct binding *binding, bool made);
void event_consumer(const struct consumer *consumer, bool made);
void event_channel(const struct channel *channel, bool made);
/* A policy was set, or cleared, by the channel's user. */
void event_policy(const struct channel *channel, const struct command *command);

#endif
