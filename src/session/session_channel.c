/* A channel: its state, and the order of things on it.
 *
 * Normal course: channel.open → COMMAND_CHANNEL_OPEN → open-ok; from then on methods become
 * commands. While the client waits for the answer to a method, the channel waits too: frames that
 * come meanwhile are kept in its backlog, and replayed later in the turn in which the answer has
 * come. So answers keep their order although some of them wait for the disk and others do not, and
 * the other channels go on.
 *
 * What can go wrong: an error of the channel: channel.close is sent, the core lets go of the
 * channel at once, and all that comes on it but close and close-ok is dropped. An error of the
 * connection: session_fail. */
#include "session_channel.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "access_class.h"
#include "basic_class.h"
#include "channel_class.h"
#include "connection_class.h"
#include "content.h"
#include "error_reply.h"
#include "exchange_class.h"
#include "gate.h"
#include "hold.h"
#include "leveret/base/container.h"
#include "queue_class.h"
#include "select_class.h"
#include "session_channels.h"
#include "sessions_state.h"

void session_channel_write(struct session_channel *channel, const struct method *method)
{
    session_send(channel->session, channel->number, method);
    gate_answered(channel->session);
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

/* Has the core let go of the channel. Its answer ends the waiting. */
static void command_close(struct session_channel *channel)
{
    struct command c = {.type = COMMAND_CHANNEL_CLOSE};
    session_channel_command(channel, &c);
}

/* ---- The backlog's turn. */

/* The channel of this number, or NULL when it has ended (which a frame of its backlog may have
 * done) or its backlog has to wait. */
static struct session_channel *replayable(struct session *session, uint16_t number)
{
    struct session_channel *channel = session_channels_find(session, number);
    return channel && !channel->awaiting && session->state == SESSION_RUNNING &&
                   !session->unread_answers && !session->waits_for_work
               ? channel
               : NULL;
}

static void take(struct session_channel *channel, const struct frame *frame, struct buffer *owner);

static void replay(struct loop_task *task)
{
    struct session_channel *channel = container_of(task, struct session_channel, replay);
    struct session *session = channel->session;
    uint16_t number = channel->number;
    struct frame frame;
    while ((channel = replayable(session, number)) &&
           backlog_next(session, &channel->backlog, number, &frame))
        take(channel, &frame, NULL);
    channel = session_channels_find(session, number);
    if (channel && !backlog_holds(&channel->backlog))
        backlog_free(session, &channel->backlog);
    if (session->close_due && !session_channels_wait(session))
        connection_class_leave(session);
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

void session_channel_leave(struct session_channel *channel)
{
    channel->state = CHANNEL_LEAVING;
    content_free(channel);
    command_close(channel);
}

/* The client has answered the broker's channel.close. */
static void close_ok(struct session_channel *channel)
{
    channel->state = CHANNEL_CLOSED;
    if (!channel->awaiting)
        session_channels_remove(&channel);
}

/* Counts a channel of the user and of the node. Returns false when either has as many as it may:
 * then the session has been failed. */
static bool take_seat(struct session *session)
{
    enum limited reached;
    int64_t max;
    if (seat_open_channel(&session->seat, &reached, &max) == STATUS_OK)
        return true;
    if (reached == LIMITED_NODE)
        session_fail(session, STATUS_NOT_ALLOWED, 0,
                     "number of channels opened on node '%s' has reached the maximum allowed limit "
                     "of (%" PRId64 ")",
                     node_name(session->sessions->options.node), max);
    else
        session_fail(session, STATUS_NOT_ALLOWED, 0,
                     "number of channels opened for user '%s' has reached the maximum allowed user "
                     "limit of (%" PRId64 ")",
                     session->user, max);
    return false;
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
    if (!take_seat(session))
        return;
    if (!account_take(session->sessions->memory.account, ACCOUNT_CONNECTIONS, CHANNEL_COST_BYTES)) {
        seat_close_channels(&session->seat, 1);
        session_fail(session, STATUS_RESOURCE_ERROR, METHOD_CHANNEL_OPEN,
                     "channel not opened: connections and channels take as much memory as they "
                     "may");
        return;
    }
    struct session_channel *channel = session_channels_add(session, number);
    channel->replay.run = replay;
    struct command c = {.type = COMMAND_CHANNEL_OPEN};
    session_channel_command(channel, &c);
}

/* Returns false when the payload is malformed: then the session has been failed. */
static bool decode(struct session *session, struct bytes payload, struct method *out)
{
    enum status status = method_decode(payload, out);
    if (status == STATUS_OK)
        return true;
    session_fail_method(session, status, payload, out);
    return false;
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

/* A frame after channel.close was sent: everything but close and close-ok is dropped. A close from
 * the client has crossed the broker's; it is answered, and the client's close-ok is still to come.
 */
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

/* A frame on a number that has no channel. */
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

/* A frame on a channel that both sides have closed: its number may begin anew with this frame. The
 * frames that wait behind it are the new channel's. */
static void take_anew(struct session_channel *channel, const struct frame *frame)
{
    struct session *session = channel->session;
    struct backlog rest = channel->backlog;
    channel->backlog = (struct backlog){0};
    session_channels_remove(&channel);
    take_unopened(session, frame);
    channel = session_channels_find(session, frame->channel);
    if (!channel) { /* no: the session has failed */
        backlog_free(session, &rest);
        return;
    }
    channel->backlog = rest;
    if (!channel->awaiting)
        loop_at_end(session->sessions->loop, PHASE_APPLY, &channel->replay);
}

/* A frame that is neither dropped nor held. */
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

/* A frame while the channel is ending, or while the gate is shut or publishes are held. */
static __attribute__((noinline, cold)) void
take_aside(struct session_channel *channel, const struct frame *frame, struct buffer *owner)
{
    if (channel->state == CHANNEL_CLOSING)
        take_while_closing(channel, frame->type, frame->payload);
    else if (channel->state == CHANNEL_CLOSED)
        take_anew(channel, frame);
    else if ((session_gate(channel->session) == GATE_OPEN && !channel->holding) ||
             !hold_frame(channel, frame))
        take_plain(channel, frame, owner);
}

/* True in the usual case, in which a frame needs no other question than this one. */
static inline bool is_plain(const struct session_channel *channel)
{
    return __builtin_expect(channel->state == CHANNEL_OPEN && !channel->holding &&
                                session_gate(channel->session) == GATE_OPEN,
                            true);
}

static void take(struct session_channel *channel, const struct frame *frame, struct buffer *owner)
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
