/* Part of command (command.h): moving messages, see move_command.h. */
#include "broker/command/move_command.h"

#include <stdlib.h>

#include "broker/command/command.h"
#include "broker/command/queue_access.h"
#include "broker/publish/move.h"
#include "leveret/base/mem.h"

struct move {
    struct channel *channel;
    struct moving *moving;
    struct text queue_name;
    uint32_t count; /* of the command that waits for a page; 0: none waits */
};

void move_command_end(struct channel *channel)
{
    struct move *move = channel->move;
    if (!move)
        return;
    channel->move = NULL;
    move_end(&move->moving);
    text_free(&move->queue_name);
    free(move);
}

static void tell(struct channel *channel, const struct moved *moved, uint64_t needed)
{
    struct event event = channel_event(channel, EVENT_MOVED);
    struct event reply = channel_event(channel, EVENT_REPLY);
    uint64_t changed = channel_needed(channel);
    event.u.moved.moved = moved;
    channel_emit(channel, &event);
    reply.u.reply.command = COMMAND_MOVE;
    reply.u.reply.messages = moved->moved;
    promise_reply(channel, &reply, changed > needed ? changed : needed);
}

static void fail(struct move *move, enum move_step step)
{
    struct channel *channel = move->channel;
    if (step == MOVE_GONE)
        channel_refuse(channel, COMMAND_MOVE, STATUS_NOT_FOUND,
                       "queue '%.*s' in vhost '%.*s' has been deleted",
                       BYTES_PRINT(text_bytes(&move->queue_name)),
                       BYTES_PRINT(channel->set->vhost_name));
    else
        channel_refuse(channel, COMMAND_MOVE, STATUS_INTERNAL_ERROR,
                       "stored messages of queue '%.*s' in vhost '%.*s' cannot be read, see the "
                       "log",
                       BYTES_PRINT(text_bytes(&move->queue_name)),
                       BYTES_PRINT(channel->set->vhost_name));
    move_command_end(channel);
}

static void go_on(struct move *move, uint32_t count)
{
    struct moved moved = {0};
    uint64_t needed = 0;
    enum move_step step = move_some(move->moving, count, &moved, &needed);
    bool any = moved.moved != 0;
    for (unsigned i = 0; i < MOVE_SKIPS; i++)
        any |= moved.skipped[i] != 0;
    if (step == MOVE_GONE || step == MOVE_DAMAGED)
        fail(move, step);
    else if (step == MOVE_READS && !any)
        move->count = count;
    else
        tell(move->channel, &moved, needed);
}

static void wake(void *context)
{
    struct move *move = context;
    uint32_t count = move->count;
    move->count = 0;
    if (count)
        go_on(move, count);
}

static void begin(struct channel *channel, const struct command *command)
{
    struct queue *queue =
        queue_access_find(channel, command->type, command->u.move.queue, QUEUE_ACCESS_USE);
    if (!queue)
        return;
    struct bytes key = command->u.move.routing_key;
    if (command->u.move.own_key)
        key.at = NULL;
    else if (!key.len)
        key = bytes_of("", 0);
    const struct move_options options = {
        .queue = queue,
        .target = command->u.move.target,
        .exchange = command->u.move.exchange,
        .routing_key = key,
        .to_queue = command->u.move.to_queue,
        .user = channel->peer->user,
        .unchecked = command->u.move.unchecked,
        .only = command->u.move.only,
        .restore_expiration = command->u.move.restore_expiration,
        .dry = command->u.move.dry,
        .wake = wake,
        .context = mem_need(sizeof(struct move)),
    };
    struct move *move = options.context;
    move->channel = channel;
    text_add_bytes(&move->queue_name, queue->endpoint.name);
    move->moving = move_begin(channel->vhost, &options);
    channel->move = move;
}

void command_move(struct channel *channel, const struct command *command)
{
    call_spend(&channel->vhost->store.call, WORK_COMMAND);
    if (channel->move && channel->move->count) {
        channel_refuse(channel, command->type, STATUS_PRECONDITION_FAILED,
                       "the channel moves messages already");
        return;
    }
    if (!channel->move)
        begin(channel, command);
    if (channel->move)
        go_on(channel->move, command->u.move.count);
}
