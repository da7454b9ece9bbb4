/* Publisher confirms on their way to the client. The core confirms publishes in their order;
 * confirms of one turn are merged, where they can be, into one basic.ack with multiple.
 *
 * No other file writes a publisher confirm, and in the core only promise.c causes one: so no
 * confirm can leave before the disk has the message. */
#include "confirm.h"

#include "session_channel.h"
#include "session_state.h"
#include "sessions_state.h"

void confirm_write(struct session_channel *channel)
{
    struct open_confirm *c = &channel->confirm;
    struct method m;
    if (!c->some)
        return;
    if (c->nack) {
        m.id = METHOD_BASIC_NACK;
        m.u.basic_nack = (struct basic_nack){.delivery_tag = c->upto, .multiple = c->multiple};
    } else {
        m.id = METHOD_BASIC_ACK;
        m.u.basic_ack = (struct basic_ack){.delivery_tag = c->upto, .multiple = c->multiple};
    }
    c->some = false;
    session_channel_write(channel, &m);
}

void confirm_add(struct session_channel *channel, uint64_t upto, bool multiple, bool nack)
{
    struct open_confirm *c = &channel->confirm;
    struct session *session = channel->session;
    /* "multiple" confirms all earlier publishes that are not confirmed yet. So an ack is merged
     * with the acks before it, but not across a nack. */
    if (c->some && c->nack == nack && upto > c->upto) {
        c->upto = upto;
        c->multiple = true;
        return;
    }
    confirm_write(channel);
    *c = (struct open_confirm){.upto = upto, .some = true, .multiple = multiple, .nack = nack};
    if (!channel->confirming) {
        channel->confirming = true;
        channel->next_confirming = session->confirming;
        session->confirming = channel;
    }
    loop_at_end(session->sessions->loop, PHASE_COMMIT, &session->flush);
}

void confirm_flush(struct session *session)
{
    struct session_channel *channel;
    while ((channel = session->confirming)) {
        session->confirming = channel->next_confirming;
        channel->confirming = false;
        if (session_channel_listens(channel))
            confirm_write(channel);
        channel->confirm.some = false;
    }
}

void confirm_forget(struct session_channel *channel)
{
    if (!channel->confirming)
        return;
    struct session_channel **at = &channel->session->confirming;
    while (*at != channel)
        at = &(*at)->next_confirming;
    *at = channel->next_confirming;
    channel->confirming = false;
}
