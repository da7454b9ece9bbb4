/* Class basic (AMQP 0-9-1, 1.8): each method becomes its command. A publish goes on in content.c.
 */
#include "basic_class.h"

#include "content.h"
#include "entity_name.h"
#include "permit.h"
#include "session_channel.h"
#include "session_state.h"
#include "sessions_state.h"

/* Consumers that a channel may have. */
static uint32_t consumers_max(const struct session *session)
{
    uint32_t max = session->sessions->options.consumers_max;
    return max && max < CONSUMERS_PER_CHANNEL_MAX ? max : CONSUMERS_PER_CHANNEL_MAX;
}

static void consume(struct session_channel *channel, const struct method *method)
{
    const struct basic_consume *m = &method->u.basic_consume;
    if (!entity_name_check_text(channel, m->consumer_tag))
        return;
    struct bytes queue = m->queue;
    uint32_t consumer;
    if (m->consumer_tag.len &&
        consumer_tags_find(&channel->consumers, m->consumer_tag, &consumer)) {
        session_channel_fail(channel, STATUS_NOT_ALLOWED, method->id,
                             "attempt to reuse consumer tag '%.*s'", BYTES_PRINT(m->consumer_tag));
        return;
    }
    /* Direct replies need no permission: they answer the client's own requests. */
    if (!entity_name_resolve(channel, &queue, method->id) ||
        (!bytes_equal_text(queue, REPLY_TO_QUEUE) &&
         !permit(channel, PERMISSION_READ, true, queue, method->id)))
        return;
    uint32_t max = consumers_max(channel->session);
    if (channel->consumers.by_tag.count >= max ||
        consumer_tags_add(&channel->consumers, &channel->session->sessions->random, m->consumer_tag,
                          &consumer) != STATUS_OK) {
        session_channel_fail(channel, STATUS_NOT_ALLOWED, method->id,
                             "reached maximum (%u) of consumers per channel", max);
        return;
    }
    struct command c = {.type = COMMAND_CONSUME, .no_wait = m->no_wait};
    c.u.consume.queue = queue;
    c.u.consume.arguments = m->arguments;
    c.u.consume.tag = consumer_tags_get(&channel->consumers, consumer);
    c.u.consume.consumer = consumer;
    c.u.consume.no_ack = m->no_ack;
    c.u.consume.exclusive = m->exclusive;
    session_channel_command(channel, &c);
}

static void cancel(struct session_channel *channel, const struct method *method)
{
    const struct basic_cancel *m = &method->u.basic_cancel;
    uint32_t consumer;
    if (!consumer_tags_find(&channel->consumers, m->consumer_tag, &consumer)) {
        /* Cancelling a consumer that does not exist succeeds. */
        const struct method ok = {.id = METHOD_BASIC_CANCEL_OK,
                                  .u.basic_cancel_ok = {.consumer_tag = m->consumer_tag}};
        if (!m->no_wait)
            session_channel_write(channel, &ok);
        return;
    }
    /* The command waits for the core's answer even with no-wait: until then deliveries may be on
     * their way, which need the tag. session_event.c sends no cancel-ok then. */
    struct consumer_slot *slot = consumer_tags_slot(&channel->consumers, consumer);
    slot->cancelling = true;
    slot->quiet = m->no_wait;
    struct command c = {.type = COMMAND_CANCEL};
    c.u.cancel.consumer = consumer;
    session_channel_command(channel, &c);
}

static void get(struct session_channel *channel, const struct method *method)
{
    struct bytes queue = method->u.basic_get.queue;
    if (!entity_name_resolve(channel, &queue, method->id) ||
        !permit(channel, PERMISSION_READ, true, queue, method->id))
        return;
    struct command c = {.type = COMMAND_GET};
    c.u.get.queue = queue;
    c.u.get.no_ack = method->u.basic_get.no_ack;
    session_channel_command(channel, &c);
}

static void qos(struct session_channel *channel, const struct method *method)
{
    const struct basic_qos *m = &method->u.basic_qos;
    if (m->prefetch_size != 0) {
        session_channel_fail(channel, STATUS_NOT_IMPLEMENTED, method->id, "prefetch_size!=0 (%u)",
                             m->prefetch_size);
        return;
    }
    struct command c = {.type = COMMAND_QOS};
    c.u.qos.prefetch_count = m->prefetch_count;
    c.u.qos.global = m->global;
    session_channel_command(channel, &c);
}

static void settle(struct session_channel *channel, enum command_type type, uint64_t tag,
                   bool multiple, bool requeue)
{
    struct command c = {.type = type};
    c.u.ack.tag = tag;
    c.u.ack.multiple = multiple;
    c.u.ack.requeue = requeue;
    session_channel_post(channel, &c);
}

static void recover(struct session_channel *channel, const struct method *method)
{
    bool async = method->id == METHOD_BASIC_RECOVER_ASYNC;
    bool requeue = async ? method->u.basic_recover_async.requeue : method->u.basic_recover.requeue;
    if (!requeue) {
        session_channel_fail(channel, STATUS_NOT_IMPLEMENTED, method->id, "requeue=false");
        return;
    }
    struct command c = {.type = COMMAND_RECOVER, .no_wait = async};
    session_channel_command(channel, &c);
}

void basic_class_method(struct session_channel *channel, const struct method *method)
{
    switch (method->id) {
    case METHOD_BASIC_PUBLISH:
        content_begin(channel, &method->u.basic_publish);
        break;
    case METHOD_BASIC_ACK:
        settle(channel, COMMAND_ACK, method->u.basic_ack.delivery_tag, method->u.basic_ack.multiple,
               false);
        break;
    case METHOD_BASIC_NACK:
        settle(channel, COMMAND_NACK, method->u.basic_nack.delivery_tag,
               method->u.basic_nack.multiple, method->u.basic_nack.requeue);
        break;
    case METHOD_BASIC_REJECT:
        settle(channel, COMMAND_REJECT, method->u.basic_reject.delivery_tag, false,
               method->u.basic_reject.requeue);
        break;
    case METHOD_BASIC_CONSUME:
        consume(channel, method);
        break;
    case METHOD_BASIC_CANCEL:
        cancel(channel, method);
        break;
    case METHOD_BASIC_CANCEL_OK:
        break; /* some clients answer the broker's basic.cancel */
    case METHOD_BASIC_GET:
        get(channel, method);
        break;
    case METHOD_BASIC_QOS:
        qos(channel, method);
        break;
    case METHOD_BASIC_RECOVER:
    case METHOD_BASIC_RECOVER_ASYNC:
        recover(channel, method);
        break;
    default:
        session_channel_fail_unexpected(channel, method->id);
    }
}
