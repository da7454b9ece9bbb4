/* Events of the core on their way to the client. A constant table says what each answer becomes.
 *
 * When the vhost's owner is this worker, session_event is called within vhost_apply. So nothing
 * here sends a command at once: to go on with a channel's backlog, or to give back credit, a task
 * is scheduled for later in the turn. */
#include "session_event.h"

#include <stdlib.h>

#include "confirm.h"
#include "deliver.h"
#include "gate.h"
#include "leveret/base/check.h"
#include "session_channels.h"
#include "sessions_state.h"

typedef void answer_handler(struct session_channel *channel, const struct event *event);

static void send_plain(struct session_channel *channel, enum method_id id)
{
    const struct method m = {.id = id};
    session_channel_write(channel, &m);
}

static void answer_plain(struct session_channel *channel, const struct event *event);

static void answer_queue_declare(struct session_channel *channel, const struct event *event)
{
    const struct method m = {.id = METHOD_QUEUE_DECLARE_OK,
                             .u.queue_declare_ok = {.queue = event->u.reply.name,
                                                    .message_count = event->u.reply.messages,
                                                    .consumer_count = event->u.reply.consumers}};
    session_channel_write(channel, &m);
}

static void answer_queue_delete(struct session_channel *channel, const struct event *event)
{
    const struct method m = {.id = METHOD_QUEUE_DELETE_OK,
                             .u.queue_delete_ok = {.message_count = event->u.reply.messages}};
    session_channel_write(channel, &m);
}

static void answer_queue_purge(struct session_channel *channel, const struct event *event)
{
    const struct method m = {.id = METHOD_QUEUE_PURGE_OK,
                             .u.queue_purge_ok = {.message_count = event->u.reply.messages}};
    session_channel_write(channel, &m);
}

static void answer_consume(struct session_channel *channel, const struct event *event)
{
    const struct method m = {
        .id = METHOD_BASIC_CONSUME_OK,
        .u.basic_consume_ok = {
            .consumer_tag = consumer_tags_get(&channel->consumers, event->u.reply.consumer)}};
    session_channel_write(channel, &m);
}

static void answer_cancel(struct session_channel *channel, const struct event *event)
{
    const struct method m = {
        .id = METHOD_BASIC_CANCEL_OK,
        .u.basic_cancel_ok = {.consumer_tag =
                                  consumer_tags_get(&channel->consumers, event->u.reply.consumer)}};
    if (!consumer_tags_slot(&channel->consumers, event->u.reply.consumer)->quiet)
        session_channel_write(channel, &m);
    consumer_tags_remove(&channel->consumers, event->u.reply.consumer);
}

static void answer_get(struct session_channel *channel, const struct event *event)
{
    if (event->u.reply.empty)
        send_plain(channel, METHOD_BASIC_GET_EMPTY);
    else
        deliver_got(channel->session, channel->number, event->got.tag, event->got.redelivered,
                    event->u.reply.messages, event->got.message);
    gate_answered(channel->session);
}

static void answer_channel_open(struct session_channel *channel, const struct event *event)
{
    (void)event;
    if (channel->state == CHANNEL_OPENING)
        channel->state = CHANNEL_OPEN;
    send_plain(channel, METHOD_CHANNEL_OPEN_OK);
}

static void answer_confirm_select(struct session_channel *channel, const struct event *event)
{
    (void)event;
    channel->confirm_mode = true;
    send_plain(channel, METHOD_CONFIRM_SELECT_OK);
}

static void answer_tx_select(struct session_channel *channel, const struct event *event)
{
    (void)event;
    channel->tx_mode = true;
    send_plain(channel, METHOD_TX_SELECT_OK);
}

/* For each command: how its success is answered (ok: the method that answer_plain sends), and the
 * method that is at fault when it fails. */
static const struct command_answer {
    answer_handler *handle;
    enum method_id ok, method;
} answers[] = {
    [COMMAND_CHANNEL_OPEN] = {answer_channel_open, 0, METHOD_CHANNEL_OPEN},
    [COMMAND_CONFIRM_SELECT] = {answer_confirm_select, 0, METHOD_CONFIRM_SELECT},
    [COMMAND_TX_SELECT] = {answer_tx_select, 0, METHOD_TX_SELECT},
    [COMMAND_TX_COMMIT] = {answer_plain, METHOD_TX_COMMIT_OK, METHOD_TX_COMMIT},
    [COMMAND_TX_ROLLBACK] = {answer_plain, METHOD_TX_ROLLBACK_OK, METHOD_TX_ROLLBACK},
    [COMMAND_EXCHANGE_DECLARE] = {answer_plain, METHOD_EXCHANGE_DECLARE_OK,
                                  METHOD_EXCHANGE_DECLARE},
    [COMMAND_EXCHANGE_DELETE] = {answer_plain, METHOD_EXCHANGE_DELETE_OK, METHOD_EXCHANGE_DELETE},
    [COMMAND_EXCHANGE_BIND] = {answer_plain, METHOD_EXCHANGE_BIND_OK, METHOD_EXCHANGE_BIND},
    [COMMAND_EXCHANGE_UNBIND] = {answer_plain, METHOD_EXCHANGE_UNBIND_OK, METHOD_EXCHANGE_UNBIND},
    [COMMAND_QUEUE_DECLARE] = {answer_queue_declare, 0, METHOD_QUEUE_DECLARE},
    [COMMAND_QUEUE_DELETE] = {answer_queue_delete, 0, METHOD_QUEUE_DELETE},
    [COMMAND_QUEUE_PURGE] = {answer_queue_purge, 0, METHOD_QUEUE_PURGE},
    [COMMAND_QUEUE_BIND] = {answer_plain, METHOD_QUEUE_BIND_OK, METHOD_QUEUE_BIND},
    [COMMAND_QUEUE_UNBIND] = {answer_plain, METHOD_QUEUE_UNBIND_OK, METHOD_QUEUE_UNBIND},
    [COMMAND_PUBLISH] = {NULL, 0, METHOD_BASIC_PUBLISH},
    [COMMAND_CONSUME] = {answer_consume, 0, METHOD_BASIC_CONSUME},
    [COMMAND_CANCEL] = {answer_cancel, 0, METHOD_BASIC_CANCEL},
    [COMMAND_GET] = {answer_get, 0, METHOD_BASIC_GET},
    [COMMAND_QOS] = {answer_plain, METHOD_BASIC_QOS_OK, METHOD_BASIC_QOS},
    [COMMAND_RECOVER] = {answer_plain, METHOD_BASIC_RECOVER_OK, METHOD_BASIC_RECOVER},
    [COMMAND_ACK] = {NULL, 0, METHOD_BASIC_ACK},
    [COMMAND_NACK] = {NULL, 0, METHOD_BASIC_NACK},
    [COMMAND_REJECT] = {NULL, 0, METHOD_BASIC_REJECT},
    [COMMAND_TOPIC_CHECK] = {NULL, 0, 0}, /* a refusal answers the command that was checked */
    [COMMAND_NONE] = {NULL, 0, 0},
};

static void answer_plain(struct session_channel *channel, const struct event *event)
{
    send_plain(channel, answers[event->u.reply.command].ok);
}

static void replied(struct session *session, const struct event *event)
{
    struct session_channel *channel = session_channels_find(session, event->channel);
    if (!channel)
        return;
    enum command_type command = event->u.reply.command;
    if (command == COMMAND_CHANNEL_CLOSE) {
        session_channel_replied(channel);
        return;
    }
    /* A channel that is ending waits only for the answer to COMMAND_CHANNEL_CLOSE. */
    bool going = channel->state != CHANNEL_OPEN && channel->state != CHANNEL_OPENING;
    if (going)
        return;
    const struct command_answer *answer = &answers[command];
    if (event->u.reply.status != STATUS_OK) {
        session_channel_fail(channel, event->u.reply.status, answer->method, "%s",
                             event->u.reply.text ? event->u.reply.text
                                                 : status_text(event->u.reply.status));
        return;
    }
    CHECK(answer->handle);
    answer->handle(channel, event);
    session_channel_replied(channel);
}

static void delivered(struct session *session, const struct event *event)
{
    struct message *message = event->u.deliver.message;
    /* Goes back to the core when the bytes have left, or at the end of the turn when the message is
     * not sent because its channel has ended. */
    session->credit_due += delivery_bytes(message);
    struct session_channel *channel = session_channels_find(session, event->channel);
    if (!channel || channel->state != CHANNEL_OPEN || session->state != SESSION_RUNNING) {
        loop_at_end(session->sessions->loop, PHASE_COMMIT, &session->flush);
        return;
    }
    deliver_message(session, channel->number,
                    consumer_tags_get(&channel->consumers, event->u.deliver.consumer),
                    event->u.deliver.tag, event->u.deliver.redelivered, message);
}

static void cancelled(struct session_channel *channel, uint32_t consumer)
{
    if (consumer_tags_slot(&channel->consumers, consumer)->cancelling)
        return; /* the client has cancelled it, too: cancel-ok follows */
    struct bytes tag = consumer_tags_get(&channel->consumers, consumer);
    const struct method m = {.id = METHOD_BASIC_CANCEL,
                             .u.basic_cancel = {.consumer_tag = tag, .no_wait = true}};
    if (channel->session->can_cancel_notify)
        session_channel_write(channel, &m);
    consumer_tags_remove(&channel->consumers, consumer);
}

static void detached(struct session *session)
{
    session->link = NULL;
    session->detaching = true;
    if (session->state == SESSION_LEAVING) {
        const struct method ok = {.id = METHOD_CONNECTION_CLOSE_OK};
        session_send(session, 0, &ok);
        session_leave(session);
    } else if (session->state == SESSION_RUNNING) {
        session_fail(session, STATUS_CONNECTION_FORCED, 0, "vhost '%s' is deleted", session->vhost);
    }
    session_maybe_free(session);
}

void session_event(void *context, const struct event *event)
{
    struct session *session = context;
    CHECK(session->magic == SESSION_MAGIC);
    if (event->type == EVENT_DELIVER) {
        delivered(session, event);
        return;
    }
    if (event->type == EVENT_DETACHED) {
        detached(session);
        return;
    }
    if (session->state != SESSION_RUNNING)
        return;
    if (event->type == EVENT_REPLY) {
        replied(session, event);
        return;
    }
    if (event->type == EVENT_GATE) {
        gate_event(session, event->u.gate.gate, event->u.gate.text);
        return;
    }
    if (event->type == EVENT_PACE) {
        gate_pace(session, event->u.pace.slow);
        return;
    }
    struct session_channel *channel = session_channels_find(session, event->channel);
    if (!channel || !session_channel_listens(channel))
        return;
    if (event->type == EVENT_CONFIRM) {
        confirm_add(channel, event->u.confirm.upto, event->u.confirm.multiple,
                    event->u.confirm.nack);
    } else if (event->type == EVENT_RETURN) {
        confirm_write(channel);
        deliver_return(session, channel->number, event->u.returned.status,
                       event->u.returned.message);
        gate_answered(session);
    } else if (event->type == EVENT_CANCELLED && channel->state == CHANNEL_OPEN) {
        cancelled(channel, event->u.cancelled.consumer);
    }
}
