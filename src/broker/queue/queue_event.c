/* Events: what comes and goes in a vhost, told to who listens. See notice.h. The names and the
 * headers are those of RabbitMQ's event exchange. */
#include "broker/vhost_state.h"
#include "leveret/wire/table.h"

static void tell(const struct vhost *vhost, const char *event, struct text *headers)
{
    vhost->options.told(vhost->options.context, event, text_bytes(headers));
    text_free(headers);
}

static void put_arguments(struct text *out, struct bytes arguments)
{
    const struct field field = {.type = FIELD_TABLE, .value.bytes = arguments};
    table_put_field(out, BYTES_LITERAL("arguments"), &field);
}

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
    put_arguments(&headers, queue->arguments);
    tell(vhost, made ? "queue.created" : "queue.deleted", &headers);
}

void event_exchange(struct vhost *vhost, const struct exchange *exchange, bool made)
{
    struct text headers = {0};
    if (!vhost->watched)
        return;
    table_put_string(&headers, "name", exchange->endpoint.name);
    table_put_string(&headers, "vhost", vhost->name);
    table_put_string(&headers, "type", bytes_of_text(exchange->type->name));
    table_put_bool(&headers, "durable", exchange->durable);
    table_put_bool(&headers, "auto_delete", exchange->auto_delete);
    table_put_bool(&headers, "internal", exchange->internal);
    put_arguments(&headers, exchange->arguments);
    tell(vhost, made ? "exchange.created" : "exchange.deleted", &headers);
}

void event_binding(struct vhost *vhost, const struct binding *binding, bool made)
{
    bool to_queue = binding->destination->kind == ENDPOINT_QUEUE;
    struct text headers = {0};
    if (!vhost->watched)
        return;
    table_put_string(&headers, "source_name", binding->source->endpoint.name);
    table_put_string(&headers, "source_kind", BYTES_LITERAL("exchange"));
    table_put_string(&headers, "destination_name", binding->destination->name);
    table_put_string(&headers, "destination_kind",
                     to_queue ? BYTES_LITERAL("queue") : BYTES_LITERAL("exchange"));
    table_put_string(&headers, "routing_key", binding_key(binding));
    table_put_string(&headers, "vhost", vhost->name);
    put_arguments(&headers, binding_arguments(binding));
    tell(vhost, made ? "binding.created" : "binding.deleted", &headers);
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
    put_arguments(&headers, consumer->arguments);
    tell(vhost, made ? "consumer.created" : "consumer.deleted", &headers);
}

void event_channel(const struct channel *channel, bool made)
{
    const struct vhost *vhost = channel->vhost;
    struct text headers = {0};
    if (!vhost->watched)
        return;
    struct text name = {0};
    text_printf(&name, "%.*s (%u)", BYTES_PRINT(channel->peer->name), channel->id);
    table_put_string(&headers, "name", text_bytes(&name));
    text_free(&name);
    table_put_string(&headers, "connection", channel->peer->name);
    table_put_i32(&headers, "number", channel->id);
    table_put_string(&headers, "user", channel->peer->user);
    table_put_string(&headers, "vhost", vhost->name);
    tell(vhost, made ? "channel.created" : "channel.closed", &headers);
}

static void put_policy(struct text *out, const struct command *command)
{
    static const char *const targets[] = {
        [POLICY_ALL] = "all",
        [POLICY_QUEUES] = "queues",
        [POLICY_CLASSIC_QUEUES] = "classic_queues",
        [POLICY_QUORUM_QUEUES] = "quorum_queues",
        [POLICY_STREAMS] = "streams",
        [POLICY_EXCHANGES] = "exchanges",
    };
    const struct field definition = {.type = FIELD_TABLE,
                                     .value.bytes = command->u.policy.definition};
    table_put_string(out, "pattern", command->u.policy.pattern);
    table_put_string(out, "apply-to", bytes_of_text(targets[command->u.policy.target]));
    table_put_field(out, BYTES_LITERAL("definition"), &definition);
    table_put_i64(out, "priority", command->u.policy.priority);
}

void event_policy(const struct channel *channel, const struct command *command)
{
    const struct vhost *vhost = channel->vhost;
    bool set = command->type == COMMAND_POLICY_PUT;
    struct text headers = {0};
    if (!vhost->watched)
        return;
    table_put_string(&headers, "name", command->u.policy.name);
    table_put_string(&headers, "vhost", vhost->name);
    table_put_string(&headers, "user_who_performed_action", channel->peer->user);
    if (set)
        put_policy(&headers, command);
    /* RabbitMQ's names: only the clearing of operator policies has one of its own. */
    tell(vhost,
         set                                 ? "policy.set"
         : command->u.policy.operator_policy ? "operator.policy.cleared"
                                             : "policy.cleared",
         &headers);
}
