/* Class channel (AMQP 0-9-1, 1.5), on a channel that is open. How it is opened, and what follows
 * the broker's channel.close, is in session_channel.c. */
#include "channel_class.h"

#include "session_channel.h"
#include "session_state.h"

/* Deliveries are always on; a client limits them with basic.qos. Switching them off is refused, so
 * that no client believes that it has done so. */
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
        session_channel_leave(channel);
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
