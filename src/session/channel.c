/* Channels: the state machine, and the order of things on one channel.
 *
 * Normal course: channel.open → COMMAND_CHANNEL_OPEN → open-ok; methods become commands; a method
 * whose answer the client waits for makes the channel wait too: frames that come meanwhile are kept
 * in its backlog and replayed, later in the turn, when the answer has come. So answers keep their
 * order, though some of them wait for the disk and others do not, and other channels go on. What
 * can go wrong: an error of the channel: channel.close is sent, the core lets go of the channel at
 * once, and all that comes on it but close and close-ok is dropped; an error of the connection:
 * session_fail. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "internal.h"
#include "leveret/base/check.h"
#include "leveret/base/container.h"
#include "leveret/base/mem.h"

/* A frame in the backlog: type, whether it is a last piece, length of the payload, payload. */
struct backlog_head {
    uint8_t type;
    bool last_piece;
    uint32_t bytes;
};

static void take_frame(struct channel *channel, const struct frame *frame, struct buffer *owner);

struct channel *channel_find(struct session *session, uint16_t number)
{
    return number < session->channel_room ? session->channels[number] : NULL;
}

void channel_write(struct channel *channel, const struct method *method)
{
    session_send(channel->session, channel->number, method);
}

/* ---- Life. */

static void replay(struct loop_task *task);

static struct channel *channel_new(struct session *session, uint16_t number)
{
    if (number >= session->channel_room) {
        uint32_t room = session->channel_room ? session->channel_room : 2;
        while (room <= number)
            room *= 2;
        session->channels = mem_need_array(session->channels, room, sizeof(struct channel *));
        for (uint32_t i = session->channel_room; i < room; i++)
            session->channels[i] = NULL;
        session->channel_room = room;
    }
    struct channel *channel = mem_need(sizeof *channel);
    channel->session = session;
    channel->number = number;
    channel->state = CHANNEL_OPENING;
    channel->flow_active = true;
    channel->replay.run = replay;
    session->channels[number] = channel;
    session->channel_count++;
    session->sessions->totals.channels++;
    session->sessions->totals.channels_opened++;
    return channel;
}

void channel_free(struct channel **at)
{
    struct channel *channel = *at;
    struct session *session = channel->session;
    *at = NULL;
    session->channels[channel->number] = NULL;
    session->channel_count--;
    session->sessions->totals.channels--;
    session->sessions->totals.channels_closed++;
    confirm_forget(channel);
    loop_task_cancel(session->sessions->loop, &channel->replay);
    content_free(channel);
    consumers_free(channel);
    text_free(&channel->backlog);
    text_free(&channel->last_queue);
    free(channel);
}

void channels_free(struct session *session)
{
    for (uint32_t i = 0; i < session->channel_room; i++) {
        if (session->channels[i])
            channel_free(&session->channels[i]);
    }
    free(session->channels);
    session->channels = NULL;
    session->channel_room = 0;
}

/* ---- Commands. */

void channel_post(struct channel *channel, struct command *command)
{
    command->channel = channel->number;
    if (channel->session->link)
        link_send(channel->session->link, command);
    else if (command->type == COMMAND_PUBLISH)
        message_unref(&command->u.publish.message);
}

void channel_command(struct channel *channel, struct command *command)
{
    if (!command->no_wait)
        channel->awaiting = true;
    channel_post(channel, command);
}

/* The core lets go of the channel; its answer ends the waiting. */
static void command_close(struct channel *channel)
{
    struct command c = {.type = COMMAND_CHANNEL_CLOSE};
    channel_command(channel, &c);
}

/* ---- The backlog. */

static void backlog_add(struct channel *channel, const struct frame *frame)
{
    struct backlog_head head = {(uint8_t)frame->type, frame->last_piece,
                                (uint32_t)frame->payload.len};
    text_add(&channel->backlog, &head, sizeof head);
    text_add_bytes(&channel->backlog, frame->payload);
    if (channel->backlog.len - channel->backlog_at > BACKLOG_BYTES_MAX)
        connection_pause(channel->session->connection, PAUSE_BACKLOG);
}

static bool backlog_holds(const struct channel *channel)
{
    return channel->backlog_at < channel->backlog.len;
}

/* Whether any channel's backlog is too full to read on. */
static bool backlogs_full(const struct session *session)
{
    for (uint32_t i = 0; i < session->channel_room; i++) {
        const struct channel *c = session->channels[i];
        if (c && c->backlog.len - c->backlog_at > BACKLOG_BYTES_MAX)
            return true;
    }
    return false;
}

static void backlog_drop(struct channel *channel)
{
    bool was_full = channel->backlog.len > BACKLOG_BYTES_MAX;
    text_free(&channel->backlog);
    channel->backlog_at = 0;
    if (was_full && !backlogs_full(channel->session))
        connection_resume(channel->session->connection, PAUSE_BACKLOG);
}

static void replay(struct loop_task *task)
{
    struct channel *channel = container_of(task, struct channel, replay);
    struct session *session = channel->session;
    uint16_t number = channel->number;
    while (!channel->awaiting && backlog_holds(channel)) {
        struct backlog_head head;
        memcpy(&head, channel->backlog.at + channel->backlog_at, sizeof head);
        const uint8_t *at = channel->backlog.at + channel->backlog_at + sizeof head;
        channel->backlog_at += sizeof head + head.bytes;
        const struct frame frame = {(enum frame_type)head.type, channel->number,
                                    bytes_of(at, head.bytes), head.last_piece};
        take_frame(channel, &frame, NULL);
        if (session->state != SESSION_RUNNING || channel_find(session, number) != channel)
            return;
    }
    if (!backlog_holds(channel))
        backlog_drop(channel);
}

void channel_replied(struct channel *channel)
{
    struct session *session = channel->session;
    channel->awaiting = false;
    if (channel->state == CHANNEL_LEAVING) {
        const struct method ok = {.id = METHOD_CHANNEL_CLOSE_OK};
        channel_write(channel, &ok);
        channel->state = CHANNEL_CLOSED;
    }
    if (backlog_holds(channel))
        loop_at_end(session->sessions->loop, PHASE_APPLY, &channel->replay);
    else if (channel->state == CHANNEL_CLOSED)
        channel_free(&channel);
}

/* ---- Ends. */

void channel_error(struct channel *channel, enum status status, enum method_id method,
                   const char *format, ...)
{
    char text[512], reply[REPLY_TEXT_ROOM];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    struct session *session = channel->session;
    if (status_is_hard(status)) {
        session_fail(session, status, method, "%s", text);
        return;
    }
    confirm_flush(session);
    struct method m = {.id = METHOD_CHANNEL_CLOSE};
    m.u.channel_close.reply_code = status_reply_code(status);
    m.u.channel_close.reply_text = status_reply_text(status, text, reply);
    m.u.channel_close.class_id = METHOD_CLASS(method);
    m.u.channel_close.method_id = METHOD_NUMBER(method);
    channel_write(channel, &m);
    log_line(session->sessions->options.log, LOG_WARNING, "channel",
             "%s (%u) user=%s vhost=%s: closed with %u: %s", connection_name(session->connection),
             channel->number, session->user, session->vhost, status_reply_code(status), text);
    channel->state = CHANNEL_CLOSING;
    content_free(channel);
    backlog_drop(channel);
    command_close(channel);
}

static void close_ok(struct channel *channel)
{
    channel->state = CHANNEL_CLOSED;
    if (!channel->awaiting)
        channel_free(&channel);
}

void channel_class_method(struct channel *channel, const struct method *method)
{
    struct command c;
    switch (method->id) {
    case METHOD_CHANNEL_OPEN:
        session_fail(channel->session, STATUS_CHANNEL_ERROR, method->id,
                     "second 'channel.open' seen");
        break;
    case METHOD_CHANNEL_CLOSE:
        confirm_flush(channel->session);
        channel->state = CHANNEL_LEAVING;
        content_free(channel);
        command_close(channel);
        break;
    case METHOD_CHANNEL_FLOW:
        channel->flow_active = method->u.channel_flow.active;
        c = (struct command){.type = COMMAND_CHANNEL_FLOW};
        c.u.flow.active = channel->flow_active;
        channel_command(channel, &c);
        break;
    case METHOD_CHANNEL_FLOW_OK:
        break;
    default:
        session_fail(channel->session, STATUS_COMMAND_INVALID, method->id, "unexpected method");
    }
}

/* ---- Frames. */

static void open_channel(struct session *session, uint16_t number)
{
    if (session->channel_max && session->channel_count >= session->channel_max) {
        session_fail(session, STATUS_NOT_ALLOWED, METHOD_CHANNEL_OPEN,
                     "number of channels opened (%u) has reached the negotiated channel_max (%u)",
                     session->channel_count, session->channel_max);
        return;
    }
    struct channel *channel = channel_new(session, number);
    struct command c = {.type = COMMAND_CHANNEL_OPEN};
    channel_command(channel, &c);
}

/* Decodes; on failure the session has been failed. */
static bool decode(struct session *session, struct bytes payload, struct method *out)
{
    enum status status = method_decode(payload, out);
    if (status == STATUS_OK)
        return true;
    if (status == STATUS_NOT_FOUND)
        session_fail(session, STATUS_COMMAND_INVALID, 0, "unknown method %u.%u",
                     METHOD_CLASS(out->id), METHOD_NUMBER(out->id));
    else
        session_fail(session, STATUS_SYNTAX_ERROR, out->id, "malformed arguments of %s",
                     method_name(out->id));
    return false;
}

static void dispatch(struct channel *channel, const struct method *method)
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
    case CLASS_CONFIRM:
    case CLASS_TX:
        select_class_method(channel, method);
        break;
    default: /* class connection belongs on channel 0 */
        session_fail(channel->session, STATUS_COMMAND_INVALID, method->id, "%s on channel %u",
                     method_name(method->id), channel->number);
    }
}

/* After channel.close was sent: everything but close and close-ok is dropped. */
static void take_while_closing(struct channel *channel, enum frame_type type, struct bytes payload)
{
    struct method m;
    if (type != FRAME_METHOD || method_decode(payload, &m) != STATUS_OK)
        return;
    if (m.id == METHOD_CHANNEL_CLOSE) {
        const struct method ok = {.id = METHOD_CHANNEL_CLOSE_OK};
        channel_write(channel, &ok);
        close_ok(channel);
    } else if (m.id == METHOD_CHANNEL_CLOSE_OK) {
        close_ok(channel);
    }
}

/* A frame on a number that has no channel (any more). */
static void take_unopened(struct session *session, uint16_t number, enum frame_type type,
                          struct bytes payload)
{
    struct method m;
    if (type != FRAME_METHOD) {
        session_fail(session, STATUS_CHANNEL_ERROR, 0, "expected 'channel.open'");
        return;
    }
    if (!decode(session, payload, &m))
        return;
    if (m.id == METHOD_CHANNEL_OPEN)
        open_channel(session, number);
    else if (m.id != METHOD_CHANNEL_CLOSE_OK)
        session_fail(session, STATUS_CHANNEL_ERROR, m.id, "expected 'channel.open'");
}

/* One frame or piece in its turn. */
static void take_frame(struct channel *channel, const struct frame *frame, struct buffer *owner)
{
    struct session *session = channel->session;
    enum frame_type type = frame->type;
    struct bytes payload = frame->payload;
    struct method m;
    if (channel->state == CHANNEL_CLOSING) {
        take_while_closing(channel, type, payload);
        return;
    }
    if (channel->state == CHANNEL_CLOSED) {
        /* Both sides are through with the old channel of this number, which may begin anew. */
        struct text rest = channel->backlog;
        size_t rest_at = channel->backlog_at;
        uint16_t number = channel->number;
        channel->backlog = (struct text){0};
        channel_free(&channel);
        take_unopened(session, number, type, payload);
        channel = channel_find(session, number);
        if (channel && rest_at < rest.len)
            text_add(&channel->backlog, rest.at + rest_at, rest.len - rest_at);
        text_free(&rest);
        if (channel && !channel->awaiting && backlog_holds(channel))
            loop_at_end(session->sessions->loop, PHASE_APPLY, &channel->replay);
        return;
    }
    if (type == FRAME_BODY) {
        content_body(channel, payload, frame->last_piece, owner);
    } else if (type == FRAME_HEADER) {
        content_header(channel, payload);
    } else if (content_due(channel)) {
        session_fail(session, STATUS_UNEXPECTED_FRAME, 0,
                     "expected content %s for class 60, got non content frame instead",
                     channel->content->header_due ? "header" : "body");
    } else if (decode(session, payload, &m)) {
        dispatch(channel, &m);
    }
}

void channel_frame(struct session *session, const struct frame *frame, struct buffer *owner)
{
    struct channel *channel = channel_find(session, frame->channel);
    if (!channel) {
        take_unopened(session, frame->channel, frame->type, frame->payload);
        return;
    }
    bool dropped = channel->state == CHANNEL_CLOSING;
    if (!dropped && (channel->awaiting || backlog_holds(channel)))
        backlog_add(channel, frame);
    else
        take_frame(channel, frame, owner);
}
