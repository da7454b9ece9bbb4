/* Events: what comes and goes in a vhost, told to who listens. See notice.h. The names and the
 * headers are those of RabbitMQ's event exchange. */
#include "broker/vhost_state.h"
#include "leveret/wire/table.h"

void event_queue(const struct queue *queue, bool made)
{
    const struct vhost *vhost = queue->vhost;
    struct text headers = {0};
    if (!vhost->watched)
        return;
    table_put_string(&headers, "name", queue->endpoint.name);
    table_put_string(&headers, "vhost", vhost->name);
    table_put_bool(&headers, "durable", queue->durable);
    table_put_bool(&headers, "auto_delete", queue->auto_delete);
    table_put_bool(&headers, "exclusive", queue->exclusive);
    notice_put_arguments(&headers, queue->arguments);
    notice_tell(vhost, made ? "queue.created" : "queue.deleted", &headers);
}

void event_consumer(const struct consumer *consumer, bool made)
{
    const struct channel *channel = consumer->channel;
    const struct vhost *vhost = channel->vhost;
    struct text headers = {0};
    if (!vhost->watched)
        return;
    table_put_string(&headers, "consumer_tag", consumer->tag);
    table_put_bool(&headers, "exclusive", consumer->exclusive);
    table_put_bool(&headers, "ack_required", !consumer->no_ack);
    table_put_string(&headers, "queue", consumer->queue->endpoint.name);
    table_put_i32(&headers, "prefetch_count", (int32_t)consumer->prefetch);
    table_put_string(&headers, "vhost", vhost->name);
    table_put_string(&headers, "connection", channel->peer->name);
    table_put_i32(&headers, "channel", channel->id);
    table_put_string(&headers, "user_who_performed_action", channel->peer->user);
    notice_put_arguments(&headers, consumer->arguments);
    notice_tell(vhost, made ? "consumer.created" : "consumer.deleted", &headers);
}
