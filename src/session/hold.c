/* Publishes that are held, and the frames that may pass them.
 *
 * Normal course: the vhost's gate is shut → a basic.publish is kept as the frames that it came in,
 * undecoded, in the channel's second backlog; so are the frames of its content, and the rest of a
 * content that has come in part. Frames that do not depend on a publish before them pass: they are
 * answered as always. The gate opens (gate.c) → the held frames go before all others that wait on
 * the channel, and are taken anew.
 *
 * While the journal is behind (GATE_BUSY), which does not last long, only persistent messages are
 * held and only settlements pass: all else keeps the client's order. During an alarm, which may
 * last long, every frame passes that does not depend on the publishes before it; a frame that does
 * (a purge, tx.commit …) waits, and so do all frames behind it. channel.close and connection.close
 * pass as well, and the held frames are dropped: nothing was promised for them, and a client that
 * can be told that it is blocked was told so.
 *
 * What can go wrong: a client sends without end: its connection is not read any more (backlog.c),
 * and is given up when the client's end comes meanwhile. A transaction that holds messages would
 * wait for memory that only its own end gives back: during an alarm of memory its next publish
 * fails the channel. */
#include "hold.h"

#include "content.h"
#include "gate.h"
#include "leveret/wire/frame.h"
#include "leveret/wire/properties.h"
#include "session_channel.h"
#include "session_state.h"

/* When a method may pass publishes before it that are held. */
enum passing {
    PASSES_NEVER,
    PASSES_ALARMS, /* during an alarm, not while the journal is behind */
    PASSES_ALWAYS,
};

static enum passing passing(enum method_id method)
{
    switch (method) {
    case METHOD_BASIC_ACK:
    case METHOD_BASIC_NACK:
    case METHOD_BASIC_REJECT:
        return PASSES_ALWAYS;
    case METHOD_BASIC_GET:
    case METHOD_BASIC_CANCEL:
    case METHOD_BASIC_CANCEL_OK:
    case METHOD_BASIC_CONSUME:
    case METHOD_BASIC_QOS:
    case METHOD_BASIC_RECOVER:
    case METHOD_BASIC_RECOVER_ASYNC:
    case METHOD_CHANNEL_FLOW:
    case METHOD_CHANNEL_FLOW_OK:
    case METHOD_CHANNEL_CLOSE:
    case METHOD_QUEUE_DECLARE:
    case METHOD_QUEUE_BIND:
    case METHOD_EXCHANGE_DECLARE:
    case METHOD_EXCHANGE_BIND:
    case METHOD_TX_ROLLBACK:
        return PASSES_ALARMS;
    default:
        return PASSES_NEVER;
    }
}

/* The method of a frame, whose arguments are not decoded; 0 when the payload is too short. */
static enum method_id method_of(struct bytes payload)
{
    if (payload.len < 4)
        return (enum method_id)0;
    return (enum method_id)((uint32_t)payload.at[0] << 24 | (uint32_t)payload.at[1] << 16 |
                            (uint32_t)payload.at[2] << 8 | payload.at[3]);
}

/* Whether a content header says that the message is persistent. False when it is malformed. */
static bool header_is_persistent(struct bytes payload)
{
    struct content_header header;
    struct properties properties;
    return properties_header_decode(payload, &header) == STATUS_OK &&
           properties_decode(header.properties, &properties) == STATUS_OK &&
           properties.delivery_mode == 2;
}

/* Whether the frame is the first one of the channel that has to be held. */
static bool is_to_be_held(const struct session_channel *channel, const struct frame *frame,
                          enum publish_gate gate)
{
    const struct content *content = channel->content;
    bool alarm = gate >= GATE_ALARM;
    if (frame->type == FRAME_METHOD)
        return alarm && !content_due(channel) && method_of(frame->payload) == METHOD_BASIC_PUBLISH;
    if (!content_due(channel))
        return false;
    if (frame->type == FRAME_HEADER)
        return content->header_due && (alarm || header_is_persistent(frame->payload));
    return content->body_due && (alarm || content->message->persistent);
}

static bool passes(struct session_channel *channel, const struct frame *frame,
                   enum publish_gate gate)
{
    if (frame->type != FRAME_METHOD)
        return false;
    enum method_id method = method_of(frame->payload);
    enum passing how = passing(method);
    if (how == PASSES_NEVER || (how == PASSES_ALARMS && gate < GATE_ALARM))
        return false;
    /* A method that waits keeps its place before later ones, except the end of the channel. */
    if (channel->hold_others && method != METHOD_CHANNEL_CLOSE)
        return false;
    if (method == METHOD_CHANNEL_CLOSE || method == METHOD_TX_ROLLBACK) {
        content_free(channel);
        hold_drop(channel);
    }
    return true;
}

static void keep(struct session_channel *channel, const struct frame *frame)
{
    struct session *session = channel->session;
    if (!channel->holding) {
        channel->holding = true;
        session->channels_holding++;
        gate_held(session);
    }
    if (frame->type == FRAME_METHOD && method_of(frame->payload) != METHOD_BASIC_PUBLISH)
        channel->hold_others = true;
    backlog_add(session, &channel->held, frame);
}

bool hold_frame(struct session_channel *channel, const struct frame *frame)
{
    enum publish_gate gate = session_gate(channel->session);
    if (channel->holding ? passes(channel, frame, gate) : !is_to_be_held(channel, frame, gate))
        return false;
    if (gate == GATE_MEMORY && channel->tx_has_publishes) {
        session_channel_fail(channel, STATUS_PRECONDITION_FAILED, METHOD_BASIC_PUBLISH,
                             "transaction rolled back: the broker is low on memory, and what the "
                             "transaction holds cannot wait for that to end");
        return true;
    }
    keep(channel, frame);
    return true;
}

void hold_release(struct session_channel *channel)
{
    struct session *session = channel->session;
    if (!channel->holding)
        return;
    channel->holding = channel->hold_others = false;
    session->channels_holding--;
    backlog_put_first(&channel->backlog, &channel->held);
}

void hold_drop(struct session_channel *channel)
{
    struct session *session = channel->session;
    if (channel->holding)
        session->channels_holding--;
    channel->holding = channel->hold_others = false;
    backlog_free(session, &channel->held);
}
