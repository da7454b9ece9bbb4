/* Channels: the state machine, and the order of things on one channel.
 *
 * Normal course: channel.open → COMMAND_CHANNEL_OPEN → open-ok; methods become commands; a method
 * whose answer the client waits for makes the channel wait too: frames that come meanwhile are kept
 * in its backlog and replayed, later in the turn, when the answer has come. So answers keep their
 * order, though some of them wait for the disk and others do not, and other channels go on. What
 * can go wrong: an error of the channel: channel.close is sent, the core lets go of the
 * channel at once, and all that comes on it but close and close-ok is dropped; an error of the
 * connection: session_fail. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "internal.h"
#include "leveret/base/check.h"
#include "leveret/base/container.h"
#include "leveret/base/mem.h"

struct session_channel *session_channels_find(struct session *session, uint16_t number)
{
    return number < session->channel_room ? session->channels[number] : NULL;
}

void session_channel_write(struct session_channel *channel, const struct method *method)
{
    session_send(channel->session, channel->number, method);
    gate_answered(channel->session);
}

/* ---- Life. */

static void replay(struct loop_task *task);

static struct session_channel *session_channels_add(struct session *session, uint16_t number)
{
    if (number >= session->channel_room) {
        uint32_t room = session->channel_room ? session->channel_room : 2;
        while (room <= number)
            room *= 2;
        session->channels =
            mem_need_array(session->channels, room, sizeof(struct session_channel *));
        for (uint32_t i = session->channel_room; i < room; i++)
            session->channels[i] = NULL;
        session->channel_room = room;
    }
    struct session_channel *channel = mem_need(sizeof *channel);
    channel->session = session;
    channel->number = number;
    channel->state = CHANNEL_OPENING;
    channel->replay.run = replay;
    session->channels[number] = channel;
    session->channel_count++;
    session->sessions->totals.channels++;
    session->sessions->totals.channels_opened++;
    return channel;
}

void session_channels_remove(struct session_channel **at)
{
    struct session_channel *channel = *at;
    struct session *session = channel->session;
    *at = NULL;
    session->channels[channel->number] = NULL;
    session->channel_count--;
    account_add(session->sessions->memory.account, ACCOUNT_CONNECTIONS,
                -(int64_t)CHANNEL_COST_BYTES);
    seat_close_channels(&session->seat, 1);
    session->sessions->totals.channels--;
    session->sessions->totals.channels_closed++;
    confirm_forget(channel);
    loop_task_cancel(session->sessions->loop, &channel->replay);
    content_free(channel);
    consumer_tags_free(channel);
    backlog_free(session, &channel->backlog);
    hold_drop(channel);
    text_free(&channel->last_queue);
    free(channel);
}

void session_channels_free(struct session *session)
{
    for (uint32_t i = 0; i < session->channel_room; i++) {
        if (session->channels[i])
            session_channels_remove(&session->channels[i]);
    }
    free(session->channels);
    session->channels = NULL;
    session->channel_room = 0;
}

/* ---- Commands. */

void session_channel_post(struct session_channel *channel, struct command *command)
{
    command->channel = channel->number;
    if (channel->session->link)
        link_send(channel->session->link, command);
    else if (command->type == COMMAND_PUBLISH)
        message_unref(&command->u.publish.message);
}

void session_channel_command(struct session_channel *channel, struct command *command)
{
    if (!command->no_wait)
        channel->awaiting = true;
    session_channel_post(channel, command);
}

/* The core lets go of the channel; its answer ends the waiting. */
static void command_close(struct session_channel *channel)
{
    struct command c = {.type = COMMAND_CHANNEL_CLOSE};
    session_channel_command(channel, &c);
}

/* ---- The backlog's turn. */

/* The channel of this number when frames from its backlog may be taken; a frame may end it. */
static struct session_channel *replayable(struct session *session, uint16_t number)
{
    struct session_channel *channel = session_channels_find(session, number);
    return channel && !channel->awaiting && session->state == SESSION_RUNNING &&
                   !session->unread_answers && !session->waits_for_work
               ? channel
               : NULL;
}

static void replay(struct loop_task *task)
{
    struct session_channel *channel = container_of(task, struct session_channel, replay);
    struct session *session = channel->session;
    uint16_t number = channel->number;
    struct frame frame;
    while ((channel = replayable(session, number)) &&
           backlog_next(session, &channel->backlog, number, &frame))
        session_channel_take(channel, &frame, NULL);
    channel = session_channels_find(session, number);
    if (channel && !backlog_holds(&channel->backlog))
        backlog_free(session, &channel->backlog);
    if (session->close_due && !session_channels_wait(session))
        connection_class_leave(session);
}

void session_channels_go_on(struct session *session)
{
    for (uint32_t i = 0; i < session->channel_room; i++) {
        struct session_channel *channel = session->channels[i];
        if (channel && !channel->awaiting && backlog_holds(&channel->backlog))
            loop_at_end(session->sessions->loop, PHASE_APPLY, &channel->replay);
    }
}

void session_channels_release(struct session *session)
{
    if (!session->channels_holding)
        return;
    for (uint32_t i = 0; i < session->channel_room; i++) {
        if (session->channels[i])
            hold_release(session->channels[i]);
    }
    session_channels_go_on(session);
}

bool session_channels_wait(struct session *session)
{
    bool held_go_on = session_gate(session) < GATE_ALARM;
    for (uint32_t i = 0; i < session->channel_room; i++) {
        const struct session_channel *channel = session->channels[i];
        if (channel && (backlog_holds(&channel->backlog) || (channel->holding && held_go_on)))
            return true;
    }
    return false;
}

void session_channel_replied(struct session_channel *channel)
{
    struct session *session = channel->session;
    channel->awaiting = false;
    if (channel->state == CHANNEL_LEAVING) {
        const struct method ok = {.id = METHOD_CHANNEL_CLOSE_OK};
        confirm_flush(session);
        session_channel_write(channel, &ok);
        channel->state = CHANNEL_CLOSED;
    }
    if (backlog_holds(&channel->backlog))
        loop_at_end(session->sessions->loop, PHASE_APPLY, &channel->replay);
    else if (channel->state == CHANNEL_CLOSED)
        session_channels_remove(&channel);
}

/* ---- Ends. */

void session_channel_fail(struct session_channel *channel, enum status status,
                          enum method_id method, const char *format, ...)
{
    char text[512], reply[ERROR_REPLY_TEXT_ROOM];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    struct session *session = channel->session;
    if (error_reply_closes_connection(status)) {
        session_fail(session, status, method, "%s", text);
        return;
    }
    confirm_flush(session);
    struct method m = {.id = METHOD_CHANNEL_CLOSE};
    m.u.channel_close.reply_code = error_reply_code(status);
    m.u.channel_close.reply_text = error_reply_text(status, text, reply);
    m.u.channel_close.class_id = METHOD_CLASS(method);
    m.u.channel_close.method_id = METHOD_NUMBER(method);
    session_channel_write(channel, &m);
    log_line(session->sessions->options.log, LOG_WARNING, "channel",
             "%s (%u) user=%s vhost=%s: closed with %u: %s", connection_name(session->connection),
             channel->number, session->user, session->vhost, error_reply_code(status), text);
    channel->state = CHANNEL_CLOSING;
    content_free(channel);
    backlog_drop(session, &channel->backlog);
    hold_drop(channel);
    command_close(channel);
}

void session_channel_fail_unexpected(struct session_channel *channel, enum method_id method)
{
    session_fail(channel->session, STATUS_COMMAND_INVALID, method, "unimplemented method");
}

/* The client has answered our channel.close. */
static void close_ok(struct session_channel *channel)
{
    channel->state = CHANNEL_CLOSED;
    if (!channel->awaiting)
        session_channels_remove(&channel);
}

/* Deliveries are on always; a client that wants fewer says so with basic.qos. It must not believe
 * that it switched them off. */
static void flow(struct session_channel *channel, bool active)
{
    const struct method ok = {.id = METHOD_CHANNEL_FLOW_OK, .u.channel_flow_ok = {.active = true}};
    if (active)
        session_channel_write(channel, &ok);
    else
        session_fail(channel->session, STATUS_NOT_IMPLEMENTED, METHOD_CHANNEL_FLOW, "active=false");
}

void channel_class_method(struct session_channel *channel, const struct method *method)
{
    switch (method->id) {
    case METHOD_CHANNEL_OPEN:
        session_fail(channel->session, STATUS_CHANNEL_ERROR, method->id,
                     "second 'channel.open' seen");
        break;
    case METHOD_CHANNEL_CLOSE:
        channel->state = CHANNEL_LEAVING;
        content_free(channel);
        command_close(channel);
        break;
    case METHOD_CHANNEL_FLOW:
        flow(channel, method->u.channel_flow.active);
        break;
    case METHOD_CHANNEL_FLOW_OK:
        break;
    default:
        session_channel_fail_unexpected(channel, method->id);
    }
}

/* ---- Frames. */

static void open_channel(struct session *session, uint16_t number)
{
    if (session->channel_max && session->channel_count >= session->channel_max) {
        session_fail(session, STATUS_NOT_ALLOWED, 0,
                     "number of channels opened (%u) has reached the negotiated channel_max (%u)",
                     session->channel_count, session->channel_max);
        return;
    }
    int64_t max;
    if (seat_open_channel(&session->seat, &max)) {
        session_fail(session, STATUS_NOT_ALLOWED, 0,
                     "number of channels opened for user '%s' has reached the maximum allowed user "
                     "limit of (%" PRId64 ")",
                     session->user, max);
        return;
    }
    if (!account_take(session->sessions->memory.account, ACCOUNT_CONNECTIONS, CHANNEL_COST_BYTES)) {
        seat_close_channels(&session->seat, 1);
        session_fail(session, STATUS_RESOURCE_ERROR, METHOD_CHANNEL_OPEN,
                     "channel not opened: connections and channels take as much memory as they "
                     "may");
        return;
    }
    struct session_channel *channel = session_channels_add(session, number);
    struct command c = {.type = COMMAND_CHANNEL_OPEN};
    session_channel_command(channel, &c);
}

/* Decodes; on failure the session has been failed. */
static bool decode(struct session *session, struct bytes payload, struct method *out)
{
    enum status status = method_decode(payload, out);
    if (status == STATUS_OK)
        return true;
    session_fail_method(session, status, payload, out);
    return false;
}

/* A ticket for everything, of which nothing is made: permissions are asked for each method. */
static void access_class_method(struct session_channel *channel, const struct method *method)
{
    const struct method ok = {.id = METHOD_ACCESS_REQUEST_OK, .u.access_request_ok = {.ticket = 1}};
    if (method->id == METHOD_ACCESS_REQUEST)
        session_channel_write(channel, &ok);
    else
        session_channel_fail_unexpected(channel, method->id);
}

static void dispatch(struct session_channel *channel, const struct method *method)
{
    switch (METHOD_CLASS(method->id)) {
    case CLASS_BASIC:
        basic_class_method(channel, method);
        break;
    case CLASS_QUEUE:
        queue_class_method(channel, method);
        break;
    case CLASS_EXCHANGE:
        exchange_class_method(channel, method);
        break;
    case CLASS_CHANNEL:
        channel_class_method(channel, method);
        break;
    case CLASS_ACCESS:
        access_class_method(channel, method);
        break;
    case CLASS_CONFIRM:
    case CLASS_TX:
        select_class_method(channel, method);
        break;
    default: /* class connection belongs on channel 0 */
        session_channel_fail_unexpected(channel, method->id);
    }
}

/* After channel.close was sent: everything but close and close-ok is dropped. A close has
 * crossed ours; it is answered, and the client has still to answer ours. */
static void take_while_closing(struct session_channel *channel, enum frame_type type,
                               struct bytes payload)
{
    struct method m;
    if (type != FRAME_METHOD || method_decode(payload, &m) != STATUS_OK)
        return;
    if (m.id == METHOD_CHANNEL_CLOSE) {
        const struct method ok = {.id = METHOD_CHANNEL_CLOSE_OK};
        session_channel_write(channel, &ok);
    } else if (m.id == METHOD_CHANNEL_CLOSE_OK) {
        close_ok(channel);
    }
}

/* A frame on a number that has no channel (any more). */
static void take_unopened(struct session *session, const struct frame *frame)
{
    struct method m;
    if (frame->type != FRAME_METHOD)
        session_fail(session, STATUS_UNEXPECTED_FRAME, 0,
                     "expected method frame, got non method frame instead");
    else if (!decode(session, frame->payload, &m))
        return;
    else if (m.id == METHOD_CHANNEL_OPEN)
        open_channel(session, frame->channel);
    else
        session_fail(session, STATUS_CHANNEL_ERROR, m.id, "expected 'channel.open'");
}

/* Both sides are through with the channel, whose number may begin anew with this frame. What waits
 * behind it is the new channel's. */
static void take_anew(struct session_channel *channel, const struct frame *frame)
{
    struct session *session = channel->session;
    struct backlog rest = channel->backlog;
    channel->backlog = (struct backlog){0};
    session_channels_remove(&channel);
    take_unopened(session, frame);
    channel = session_channels_find(session, frame->channel);
    if (!channel) { /* the session has failed */
        backlog_free(session, &rest);
        return;
    }
    channel->backlog = rest;
    if (!channel->awaiting)
        loop_at_end(session->sessions->loop, PHASE_APPLY, &channel->replay);
}

/* A frame on a channel that is open, and keeps nothing back. */
static inline void take_plain(struct session_channel *channel, const struct frame *frame,
                              struct buffer *owner)
{
    struct method m;
    if (frame->type == FRAME_BODY)
        content_body(channel, frame->payload, frame->last_piece, owner);
    else if (frame->type == FRAME_HEADER)
        content_header(channel, frame->payload);
    else if (content_due(channel) && !channel->holding)
        content_missing(channel);
    else if (decode(channel->session, frame->payload, &m))
        dispatch(channel, &m);
}

/* A frame while the channel is ending, or while publishes may have to be held. */
static __attribute__((noinline, cold)) void
take_aside(struct session_channel *channel, const struct frame *frame, struct buffer *owner)
{
    if (channel->state == CHANNEL_CLOSING)
        take_while_closing(channel, frame->type, frame->payload);
    else if (channel->state == CHANNEL_CLOSED)
        take_anew(channel, frame);
    else if ((session_gate(channel->session) == GATE_OPEN && !channel->holding) ||
             !hold_takes(channel, frame))
        take_plain(channel, frame, owner);
}

/* True in the usual case, which is then asked for nothing else. */
static inline bool is_plain(const struct session_channel *channel)
{
    return __builtin_expect(channel->state == CHANNEL_OPEN && !channel->holding &&
                                session_gate(channel->session) == GATE_OPEN,
                            true);
}

void session_channel_take(struct session_channel *channel, const struct frame *frame,
                          struct buffer *owner)
{
    if (is_plain(channel))
        take_plain(channel, frame, owner);
    else
        take_aside(channel, frame, owner);
}

void session_channel_frame(struct session *session, const struct frame *frame, struct buffer *owner)
{
    struct session_channel *channel = session_channels_find(session, frame->channel);
    if (!channel)
        take_unopened(session, frame);
    else if (channel->state != CHANNEL_CLOSING &&
             __builtin_expect(channel->awaiting || backlog_holds(&channel->backlog), 0))
        backlog_add(session, &channel->backlog, frame);
    else if (is_plain(channel))
        take_plain(channel, frame, owner);
    else
        take_aside(channel, frame, owner);
}
