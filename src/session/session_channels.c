/* The channels of a session, by number: an array that grows to the highest number in use. */
#include "session_channels.h"

#include <stdlib.h>

#include "content.h"
#include "hold.h"
#include "leveret/base/mem.h"
#include "sessions_state.h"

/* Makes room for the number. */
static void grow(struct session *session, uint16_t number)
{
    uint32_t room = session->channel_room ? session->channel_room : 2;
    while (room <= number)
        room *= 2;
    session->channels = mem_need_array(session->channels, room, sizeof(struct session_channel *));
    for (uint32_t i = session->channel_room; i < room; i++)
        session->channels[i] = NULL;
    session->channel_room = room;
}

struct session_channel *session_channels_add(struct session *session, uint16_t number)
{
    if (number >= session->channel_room)
        grow(session, number);
    struct session_channel *channel = mem_need(sizeof *channel);
    channel->session = session;
    channel->number = number;
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
    consumer_tags_free(&channel->consumers);
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

bool session_channels_wait(const struct session *session)
{
    bool held_go_on = session_gate(session) < GATE_ALARM;
    for (uint32_t i = 0; i < session->channel_room; i++) {
        const struct session_channel *channel = session->channels[i];
        if (channel && (backlog_holds(&channel->backlog) || (channel->holding && held_go_on)))
            return true;
    }
    return false;
}
