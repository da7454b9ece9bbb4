/* Part of queue (queue.h): events and traces of queues and their consumers. The names and the
 * headers are those of RabbitMQ's event exchange and firehose. */
#include "broker/queue/queue.h"

#include "broker/queue/queues.h"
#include "leveret/wire/table.h"

void queue_announce(const struct queue *queue, bool made)
{
    const struct notices *notices = queue->set->notices;
    struct text headers = {0};
    if (!notices->watched)
        return;
    table_put_string(&headers, "name", queue->endpoint.name);
    table_put_string(&headers, "vhost", notices->vhost_name);
    table_put_bool(&headers, "durable", queue->durable);
    table_put_bool(&headers, "auto_delete", queue->auto_delete);
    table_put_bool(&headers, "exclusive", queue->exclusive);
    notice_put_arguments(&headers, queue->arguments);
    notice_tell(notices, made ? "queue.created" : "queue.deleted", &headers);
}

void queue_announce_consumer(const struct consumer *consumer, bool made)
{
    const struct channel *channel = consumer->channel;
    const struct notices *notices = channel->set->notices;
    struct text headers = {0};
    if (!notices->watched)
        return;
    table_put_string(&headers, "consumer_tag", consumer->tag);
    table_put_bool(&headers, "exclusive", consumer->exclusive);
    table_put_bool(&headers, "ack_required", !consumer->no_ack);
    table_put_string(&headers, "queue", consumer->queue->endpoint.name);
    table_put_i32(&headers, "prefetch_count", (int32_t)consumer->prefetch);
    table_put_string(&headers, "vhost", notices->vhost_name);
    table_put_string(&headers, "connection", channel->peer->name);
    table_put_i32(&headers, "channel", channel->id);
    table_put_string(&headers, "user_who_performed_action", channel->peer->user);
    notice_put_arguments(&headers, consumer->arguments);
    notice_tell(notices, made ? "consumer.created" : "consumer.deleted", &headers);
}

void queue_trace(const struct channel *channel, const struct queue *queue,
                 const struct message *message, bool redelivered)
{
    const struct notice_channel traced = channel_traced(channel);
    notice_trace_delivered(channel->set->notices, &traced, queue->endpoint.name, message,
                           redelivered);
}
