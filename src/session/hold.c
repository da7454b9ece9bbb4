/* Publishes that are held, and what passes them.
 *
 * Normal course: the vhost's gate is shut → a basic.publish is kept as the frames that it came in,
 * undecoded, in the channel's second backlog; so are the frames of its content, and those of a
 * content that was half received. Frames that do not depend on a publish before them pass: they are
 * answered as always. The gate opens (gate.c) → what is held stands in front of whatever else waits
 * on the channel and is taken anew.
 *
 * While the journal is behind (GATE_BUSY), which is short, only persistent messages are held and
 * only settlements pass: nothing else may see another order than the client's. During an alarm,
 * which may last, everything passes that can do without the publish before it; a frame that cannot
 * (a purge, tx.commit …) waits, and all behind it. channel.close and connection.close pass
 * as well, and drop what is held: no promise has been made for it, and clients that can be told
 * have been told that they are blocked.
 *
 * What can go wrong: a client that sends on and on: its connection is not read any more
 * (backlog.c), and given up when its end comes meanwhile. A transaction holds messages and would
 * wait for memory that only its own end gives back: its next publish fails the channel during an
 * alarm of memory. */
#include "internal.h"
#include "leveret/wire/properties.h"

/* How a method gets along with publishes that stand before it and are held. */
enum passing {
    PASSES_NEVER,
    PASSES_ALARMS, /* not while the journal is merely behind */
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

/* The method of a frame, without decoding it; 0 when it is too short. */
static enum method_id method_of(struct bytes payload)
{
    if (payload.len < 4)
        return (enum method_id)0;
    return (enum method_id)((uint32_t)payload.at[0] << 24 | (uint32_t)payload.at[1] << 16 |
                            (uint32_t)payload.at[2] << 8 | payload.at[3]);
}

/* Whether a content's header says that the message is persistent; malformed ones are not. */
static bool header_is_persistent(struct bytes payload)
{
    struct content_header header;
    struct properties properties;
    return properties_header_decode(payload, &header) == STATUS_OK &&
           properties_decode(header.properties, &properties) == STATUS_OK &&
           properties.delivery_mode == 2;
}

/* Whether the frame is of a publish that is to be held, when none is yet. */
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
    /* What waits already keeps its place before others, but not before the channel's end. */
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

bool hold_takes(struct session_channel *channel, const struct frame *frame)
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
