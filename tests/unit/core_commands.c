/* Commands for a vhost in few words: part of core_harness.h. */
#include "core_harness.h"
#include "leveret/base/check.h"
#include "leveret/base/number.h"
#include "leveret/wire/properties.h"
#include "leveret/wire/table.h"

uint16_t channel_of(const char *who)
{
    uint64_t number;
    CHECK(number_read(who + 1, UINT16_MAX, &number));
    return (uint16_t)number;
}

static void apply(struct harness *h, const char *who, struct command command)
{
    command.channel = channel_of(who);
    harness_do(h, who[0], &command);
}

static bool has(const char *flags, char flag)
{
    return strchr(flags, flag) != NULL;
}

void do_plain(struct harness *h, const char *who, enum command_type type)
{
    apply(h, who, (struct command){.type = type});
}

void do_open(struct harness *h, const char *who)
{
    if (!h->peers[who[0] - 'A'])
        harness_attach(h, who[0]);
    do_plain(h, who, COMMAND_CHANNEL_OPEN);
}

void do_close(struct harness *h, const char *who)
{
    do_plain(h, who, COMMAND_CHANNEL_CLOSE);
}

void do_credit(struct harness *h, const char *who, uint32_t bytes)
{
    apply(h, who, (struct command){.type = COMMAND_CREDIT, .u.credit.bytes = bytes});
}

void do_qos(struct harness *h, const char *who, uint16_t count, bool global)
{
    apply(h, who,
          (struct command){.type = COMMAND_QOS,
                           .u.qos = {.prefetch_count = count, .global = global}});
}

void do_declare_args(struct harness *h, const char *who, const char *queue, const char *flags,
                     const struct text *arguments)
{
    struct command command = {.type = COMMAND_QUEUE_DECLARE, .no_wait = has(flags, 'n')};
    command.u.queue_declare.name = bytes_of_text(queue);
    if (arguments)
        command.u.queue_declare.arguments = text_bytes(arguments);
    command.u.queue_declare.durable = has(flags, 'd');
    command.u.queue_declare.exclusive = has(flags, 'x');
    command.u.queue_declare.auto_delete = has(flags, 'a');
    command.u.queue_declare.passive = has(flags, 'p');
    command.u.queue_declare.server_named = has(flags, 's');
    apply(h, who, command);
}

void do_declare(struct harness *h, const char *who, const char *queue, const char *flags)
{
    do_declare_args(h, who, queue, flags, NULL);
}

void do_exchange(struct harness *h, const char *who, const char *name, const char *type,
                 const char *flags)
{
    struct command command = {.type = COMMAND_EXCHANGE_DECLARE};
    command.u.exchange_declare.name = bytes_of_text(name);
    command.u.exchange_declare.type = bytes_of_text(type);
    command.u.exchange_declare.durable = has(flags, 'd');
    command.u.exchange_declare.auto_delete = has(flags, 'a');
    command.u.exchange_declare.internal = has(flags, 'i');
    apply(h, who, command);
}

void do_bind(struct harness *h, const char *who, const char *exchange, const char *queue,
             const char *key)
{
    struct command command = {.type = COMMAND_QUEUE_BIND};
    command.u.bind.source = bytes_of_text(exchange);
    command.u.bind.destination = bytes_of_text(queue);
    command.u.bind.routing_key = bytes_of_text(key);
    apply(h, who, command);
}

void do_delete(struct harness *h, const char *who, const char *queue, const char *flags)
{
    struct command command = {.type = COMMAND_QUEUE_DELETE};
    command.u.queue_delete.name = bytes_of_text(queue);
    command.u.queue_delete.if_unused = has(flags, 'u');
    command.u.queue_delete.if_empty = has(flags, 'e');
    apply(h, who, command);
}

void do_purge(struct harness *h, const char *who, const char *queue)
{
    apply(
        h, who,
        (struct command){.type = COMMAND_QUEUE_PURGE, .u.queue_purge.name = bytes_of_text(queue)});
}

void do_pause(struct harness *h, const char *who, const char *queue, bool paused)
{
    struct command command = {.type = COMMAND_QUEUE_PAUSE};
    command.u.queue_pause.name = bytes_of_text(queue);
    command.u.queue_pause.paused = paused;
    apply(h, who, command);
}

void do_peek(struct harness *h, const char *who, const char *queue, unsigned states, bool from_tail,
             uint64_t offset, uint32_t count)
{
    struct command command = {.type = COMMAND_PEEK};
    command.u.peek.queue = bytes_of_text(queue);
    command.u.peek.states = (uint8_t)states;
    command.u.peek.from_tail = from_tail;
    command.u.peek.offset = offset;
    command.u.peek.count = count;
    apply(h, who, command);
}

struct message *harness_message(const char *exchange, const char *key, const void *body,
                                size_t body_bytes, bool persistent)
{
    struct properties properties = {0};
    struct text encoded = {0};
    if (persistent) {
        properties.present = PROPERTY_DELIVERY_MODE;
        properties.delivery_mode = 2;
    }
    properties_encode(&properties, &encoded);
    struct message *message =
        message_new(bytes_of_text(exchange), bytes_of_text(key), text_bytes(&encoded), body_bytes);
    text_free(&encoded);
    CHECK(message);
    message->persistent = persistent;
    if (body_bytes)
        CHECK(message_fill(message, NULL, body, body_bytes) == STATUS_OK);
    return message;
}

static void publish(struct harness *h, const char *who, struct message *message, bool mandatory)
{
    apply(h, who,
          (struct command){.type = COMMAND_PUBLISH,
                           .u.publish = {.message = message, .mandatory = mandatory}});
}

void do_publish(struct harness *h, const char *who, const char *exchange, const char *key,
                const char *body, const char *flags)
{
    publish(h, who, harness_message(exchange, key, body, strlen(body), has(flags, 'p')),
            has(flags, 'm'));
}

void do_publish_ttl(struct harness *h, const char *who, const char *key, const char *body,
                    uint64_t ttl_ms, const char *flags)
{
    struct message *message = harness_message("", key, body, strlen(body), has(flags, 'p'));
    message->ttl_ms = ttl_ms;
    publish(h, who, message, has(flags, 'm'));
}

void harness_prioritise(struct message **message, uint8_t priority)
{
    struct properties properties;
    struct text encoded = {0};
    CHECK(properties_decode(message_properties(*message), &properties) == STATUS_OK);
    properties.present |= PROPERTY_PRIORITY;
    properties.priority = priority;
    properties_encode(&properties, &encoded);
    struct message *copy = message_with_properties(*message, text_bytes(&encoded));
    CHECK(copy);
    text_free(&encoded);
    message_unref(message);
    copy->priority = priority;
    *message = copy;
}

void do_publish_priority(struct harness *h, const char *who, const char *key, const char *body,
                         uint8_t priority, const char *flags)
{
    struct message *message = harness_message("", key, body, strlen(body), has(flags, 'p'));
    harness_prioritise(&message, priority);
    publish(h, who, message, has(flags, 'm'));
}

void do_consume_args(struct harness *h, const char *who, const char *queue, uint32_t consumer,
                     const char *flags, const struct text *arguments)
{
    struct command command = {.type = COMMAND_CONSUME, .no_wait = has(flags, 'n')};
    command.u.consume.queue = bytes_of_text(queue);
    command.u.consume.arguments = text_bytes(arguments);
    command.u.consume.consumer = consumer;
    command.u.consume.tag = bytes_of_text("tag");
    command.u.consume.no_ack = !has(flags, 'a');
    command.u.consume.exclusive = has(flags, 'x');
    apply(h, who, command);
}

void do_consume(struct harness *h, const char *who, const char *queue, uint32_t consumer,
                const char *flags, int priority)
{
    struct text arguments = {0};
    if (priority)
        table_put_i32(&arguments, "x-priority", priority);
    do_consume_args(h, who, queue, consumer, flags, &arguments);
    text_free(&arguments);
}

void do_cancel(struct harness *h, const char *who, uint32_t consumer)
{
    apply(h, who, (struct command){.type = COMMAND_CANCEL, .u.cancel.consumer = consumer});
}

void do_get(struct harness *h, const char *who, const char *queue, const char *flags)
{
    apply(h, who,
          (struct command){.type = COMMAND_GET,
                           .u.get = {.queue = bytes_of_text(queue), .no_ack = !has(flags, 'a')}});
}

void do_ack(struct harness *h, const char *who, uint64_t tag, bool multiple)
{
    apply(h, who,
          (struct command){.type = COMMAND_ACK, .u.ack = {.tag = tag, .multiple = multiple}});
}

void do_reject(struct harness *h, const char *who, uint64_t tag, bool requeue)
{
    apply(h, who,
          (struct command){.type = COMMAND_REJECT, .u.ack = {.tag = tag, .requeue = requeue}});
}

void do_nack(struct harness *h, const char *who, uint64_t tag, bool multiple, bool requeue)
{
    apply(h, who,
          (struct command){.type = COMMAND_NACK,
                           .u.ack = {.tag = tag, .multiple = multiple, .requeue = requeue}});
}
