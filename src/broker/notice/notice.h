/* Notices: messages that the broker itself writes. There are two kinds: traces of messages that are
 * published and delivered (exchange amq.rabbitmq.trace, in each vhost), and announcements that come
 * from outside the core (events and log lines: exchanges amq.rabbitmq.event and amq.rabbitmq.log,
 * in one vhost of the node). The events of this vhost leave the core here, too: they are announced
 * in the vhost of the node that has the exchange for them. Thread: the vhost's owner.
 *
 * Normal course: a command writes a notice, which waits; before the call into the core ends
 * publish/notice_send.c publishes it like any other message. What can go wrong: no queue is bound
 * to the exchange: the notice is dropped. Notices are not traced, since each trace would cause
 * another one. */
#ifndef BROKER_NOTICE_H
#define BROKER_NOTICE_H

#include "leveret/base/message.h"
#include "leveret/base/text.h"

#define NOTICE_TRACE_EXCHANGE "amq.rabbitmq.trace" /* in each vhost, of type topic */
#define NOTICE_EVENT_EXCHANGE "amq.rabbitmq.event"
#define NOTICE_LOG_EXCHANGE   "amq.rabbitmq.log"

struct route_result;

struct notices {
    struct bytes vhost_name, node_name; /* headers of traces and events */
    /* vhost_options.told: receives the events of this vhost. */
    void (*told)(void *context, const char *event, struct bytes headers);
    void *context;
    bool watched; /* true: events are told; false: no listener in the node wants them */

    struct message **messages; /* notices that wait to be published */
    size_t count, room;
};

void notices_free(struct notices *notices);
/* Adds a notice to be published; takes over the caller's reference. NULL is ignored. */
void notice_add(struct notices *notices, struct message *message);
/* Appends the encoded properties of a notice: its headers and, when delivery_mode is not 0,
 * delivery_mode and timestamp_s. */
void notice_properties(struct bytes headers, uint8_t delivery_mode, uint64_t timestamp_s,
                       struct text *out);

/* ---- Traces (https://www.rabbitmq.com/firehose.html): called only while the vhost is traced. */

/* The channel that published a traced message, or that it is delivered on. */
struct notice_channel {
    struct bytes connection, user;
    uint16_t number;
};
void notice_trace_published(struct notices *notices, const struct notice_channel *channel,
                            const struct message *message, const struct route_result *route);
void notice_trace_delivered(struct notices *notices, const struct notice_channel *channel,
                            struct bytes queue, const struct message *message, bool redelivered);

/* ---- Events (https://www.rabbitmq.com/event-exchange.html). */

/* Tells an event, if notices->watched is true. headers: a table's contents, which are freed. */
void notice_tell(const struct notices *notices, const char *event, struct text *headers);
/* Appends the field "arguments" to the headers of an event. */
void notice_put_arguments(struct text *out, struct bytes arguments);

#endif
