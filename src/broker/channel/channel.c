/* Channels and the answers on them: see channel.h. */
#include "broker/channel/channel.h"

#include "broker/channel/channels.h"
#include "leveret/base/mem.h"
#include "leveret/wire/table.h"

#include <stdarg.h>
#include <stdio.h>

struct channel *channel_new(struct peer *peer, uint16_t id)
{
    struct channel *channel = mem_need(sizeof *channel);
    channel->peer = peer;
    channel->set = peer->set;
    channel->vhost = peer->vhost;
    channel->id = id;
    TAILQ_INIT(&channel->consumers);
    wait_init(&channel->wait);
    TAILQ_INIT(&channel->gets);
    TAILQ_INIT(&channel->holds);
    channel->sampled.born_wall_ms = peer->set->store->call.now.wall_ms;
    channel->changed_wall_ms = channel->sampled.born_wall_ms;
    channel->number = roster_add(&peer->set->roster, channel);
    return channel;
}

uint64_t channel_needed(const struct channel *channel)
{
    uint64_t needed = store_needed(channel->set->store);
    return needed > channel->progress.needed ? needed : channel->progress.needed;
}

void channel_goes_on(struct channel *channel)
{
    channel->progress.needed = channel_needed(channel);
    channel->progress.under_way = true;
    channel->set->store->call.applied.unfinished = true;
}

/* ---- Answers. */

struct event channel_event(const struct channel *channel, enum event_type type)
{
    return (struct event){.type = type, .channel = channel->id};
}

void channel_emit(struct channel *channel, const struct event *event)
{
    channels_tell(channel->set, channel->peer, event);
}

void channel_reply_event(struct channel *channel, const struct command *command,
                         struct event *reply, uint64_t needed)
{
    reply->u.reply.command = command->type;
    reply->u.reply.no_wait = command->no_wait;
    if (!command->no_wait)
        promise_reply(channel, reply, needed);
}

void channel_reply(struct channel *channel, const struct command *command)
{
    struct event reply = channel_event(channel, EVENT_REPLY);
    channel_reply_event(channel, command, &reply, channel_needed(channel));
}

void channel_refuse(struct channel *channel, enum command_type command, enum status status,
                    const char *format, ...)
{
    char text[REFUSAL_TEXT_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    struct event reply = channel_event(channel, EVENT_REPLY);
    reply.u.reply.command = command;
    reply.u.reply.status = status;
    reply.u.reply.text = text;
    promise_abandon(channel, false);
    channel->failed = channel->leaving = true;
    promise_reply(channel, &reply, 0);
}

/* ---- Events and traces. */

void channel_announce(const struct channel *channel, bool made)
{
    const struct channels *channels = channel->set;
    struct text headers = {0};
    if (!channels->notices->watched)
        return;
    struct text name = {0};
    text_printf(&name, "%.*s (%u)", BYTES_PRINT(channel->peer->name), channel->id);
    table_put_string(&headers, "name", text_bytes(&name));
    text_free(&name);
    table_put_string(&headers, "connection", channel->peer->name);
    table_put_i32(&headers, "number", channel->id);
    table_put_string(&headers, "user", channel->peer->user);
    table_put_string(&headers, "vhost", channels->vhost_name);
    notice_tell(channels->notices, made ? "channel.created" : "channel.closed", &headers);
}

struct notice_channel channel_traced(const struct channel *channel)
{
    return (struct notice_channel){
        .connection = channel->peer->name,
        .user = channel->peer->user,
        .number = channel->id,
    };
}
