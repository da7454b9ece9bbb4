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

#include "leveret/base/message.h"
#include "leveret/base/text.h"

#define NOTICE_TRACE_EXCHANGE "amq.rabbitmq.trace" /* in each vhost, of type topic */
#define NOTICE_EVENT_EXCHANGE "amq.rabbitmq.event"
#define NOTICE_LOG_EXCHANGE   "amq.rabbitmq.log"

struct route_result;

struct notices {
    struct bytes vhost_name, node_name; /* told in traces */
    /* vhost_options.told, called while `watched` is true. */
    void (*told)(void *context, const char *event, struct bytes headers);
    void *context;
    bool watched;

    struct message **messages; /* that wait to be published */
    size_t count, room;
};

void notices_free(struct notices *notices);
/* One more to be published; takes the reference. NULL, and one too many, are dropped. */
void notice_add(struct notices *notices, struct message *message);
/* Appends the properties of a notice: its headers, and when delivery_mode is not 0 that and the
 * time. */
void notice_properties(struct bytes headers, uint8_t delivery_mode, uint64_t timestamp_s,
                       struct text *out);

/* ---- Traces (https://www.rabbitmq.com/firehose.html), when the vhost is traced. */

/* Whose channel a traced message came by, or goes to. */
struct notice_channel {
    struct bytes connection, user;
    uint16_t number;
};
void notice_trace_published(struct notices *notices, const struct notice_channel *channel,
                            const struct message *message, const struct route_result *route);
void notice_trace_delivered(struct notices *notices, const struct notice_channel *channel,
                            struct bytes queue, const struct message *message, bool redelivered);

/* ---- Events (https://www.rabbitmq.com/event-exchange.html). */

/* Tells that something came or went, when notices->watched; headers: a table's contents, which are
 * freed. */
void notice_tell(const struct notices *notices, const char *event, struct text *headers);
/* Appends the field "arguments". */
void notice_put_arguments(struct text *out, struct bytes arguments);

#endif
