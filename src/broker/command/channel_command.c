/* Part of command (command.h): commands on channels themselves, which are open, close, qos and
 * confirm.select. */
#include "broker/command/command.h"

#include "broker/command/channel_end.h"
#include "leveret/base/mem.h"

void command_channel_open(struct peer *peer, const struct command *command)
{
    uint16_t id = command->channel;
    if (id >= peer->channel_room) {
        uint32_t room = peer->channel_room ? peer->channel_room : 2;
        while (room <= id)
            room *= 2;
        peer->channels = mem_need_array(peer->channels, room, sizeof(struct channel *));
        memset(peer->channels + peer->channel_room, 0,
               (room - peer->channel_room) * sizeof(struct channel *));
        peer->channel_room = room;
    }
    CHECK(!peer->channels[id]); /* the session opens no channel twice */
    peer->channels[id] = channel_new(peer, id);
    channel_announce(peer->channels[id], true);
    channel_reply(peer->channels[id], command);
}

void command_channel_close(struct peer *peer, const struct command *command)
{
    struct channel *channel = peer_channel(peer, command->channel);
    struct event reply = {.type = EVENT_REPLY, .channel = command->channel};
    reply.u.reply.command = COMMAND_CHANNEL_CLOSE;
    if (channel && !channel->closing && !channel_close(channel, &reply))
        channel_goes_on(channel);
}

void command_qos(struct channel *channel, const struct command *command)
{
    uint16_t count = command->u.qos.prefetch_count;
    if (command->u.qos.global) {
        channel->prefetch_all = count;
        wait_over(&channel->vhost->channels, &channel->wait);
    } else {
        channel->prefetch = count;
    }
    channel_reply(channel, command);
}

void command_confirm_select(struct channel *channel, const struct command *command)
{
    if (channel->tx) {
        channel_refuse(channel, command->type, STATUS_PRECONDITION_FAILED,
                       "cannot switch from tx to confirm mode");
        return;
    }
    channel->confirm = true;
    channel_reply(channel, command);
}
