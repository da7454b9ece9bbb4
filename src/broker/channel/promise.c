/* Promises: see promise.h.
 *
 * Normal course: promise_confirm extends the last entry or adds one; the channel stands in
 * promises_due, when the batch of its first entry is on disk, or in promises_held; vhost_flush and
 * vhost_committed send the entries whose batch is on disk. What can go wrong: the disk fails: then
 * the entries stay, and no confirm is sent. */
#include "broker/channel/promise.h"

#include "broker/channel/channels.h"
#include "leveret/base/mem.h"

/* Entries that a channel has room for at first; the room doubles when it is full. */
#define ROOM_MIN 4u

struct held_reply {
    struct event event;
    char *text, *name;
};

static struct promise *entry_at(const struct promise_queue *promises, uint32_t index)
{
    return &promises->entries[(promises->head + index) & (promises->room - 1)];
}

/* Puts the channel into the list for the state of its first entry. */
static void relist(struct channel *channel)
{
    struct channels *channels = channel->set;
    struct promise_queue *promises = &channel->promises;
    struct channel_queue *lists[] = {
        [PROMISE_UNLISTED] = NULL,
        [PROMISE_DUE] = &channels->promises_due,
        [PROMISE_WAITING] = &channels->promises_held,
    };
    enum promise_list list = PROMISE_UNLISTED;
    if (promises->count)
        list = entry_at(promises, 0)->needed <= channels->store->committed ? PROMISE_DUE
                                                                           : PROMISE_WAITING;
    if (channel->promise_list == list)
        return;
    if (channel->promise_list)
        TAILQ_REMOVE(lists[channel->promise_list], channel, promise_link);
    channel->promise_list = (uint8_t)list;
    if (list)
        TAILQ_INSERT_TAIL(lists[list], channel, promise_link);
}

static struct promise *add(struct channel *channel, uint64_t needed)
{
    struct promise_queue *promises = &channel->promises;
    if (promises->count == promises->room) {
        uint32_t room = promises->room ? promises->room * 2 : ROOM_MIN;
        struct promise *entries = mem_need_array(NULL, room, sizeof *entries);
        for (uint32_t i = 0; i < promises->count; i++)
            entries[i] = *entry_at(promises, i);
        free(promises->entries);
        promises->entries = entries;
        promises->head = 0;
        promises->room = room;
    }
    /* Answers leave in order, so an entry needs at least the batch of the entry before it. */
    if (promises->count && entry_at(promises, promises->count - 1)->needed > needed)
        needed = entry_at(promises, promises->count - 1)->needed;
    struct promise *entry = entry_at(promises, promises->count++);
    *entry = (struct promise){.needed = needed};
    if (promises->count == 1)
        relist(channel);
    return entry;
}

void promise_confirm(struct channel *channel, uint64_t needed)
{
    struct promise_queue *promises = &channel->promises;
    uint64_t seq = ++channel->publish_seq;
    if (promises->count) {
        struct promise *last = entry_at(promises, promises->count - 1);
        if (!last->reply && !last->nack && last->needed >= needed) {
            last->upto = seq;
            return;
        }
    }
    struct promise *entry = add(channel, needed);
    entry->upto = seq;
}

void promise_nack(struct channel *channel)
{
    uint64_t seq = ++channel->publish_seq;
    struct promise *entry = add(channel, 0);
    entry->nack = true;
    entry->upto = seq;
}

/* ---- Replies. */

bool promise_holds(const struct channel *channel, uint64_t needed)
{
    return channel->promises.replies || needed > channel->set->store->committed;
}

void promise_reply(struct channel *channel, const struct event *reply, uint64_t needed)
{
    if (!promise_holds(channel, needed)) {
        channel_emit(channel, reply);
        return;
    }
    struct held_reply *held = mem_need(sizeof *held);
    held->event = *reply;
    if (reply->u.reply.text) {
        held->text = mem_need_text(reply->u.reply.text, strlen(reply->u.reply.text));
        held->event.u.reply.text = held->text;
    }
    if (reply->u.reply.name.len) {
        held->name = mem_need_text(reply->u.reply.name.at, reply->u.reply.name.len);
        held->event.u.reply.name = bytes_of(held->name, reply->u.reply.name.len);
    }
    if (reply->got.message)
        message_ref(reply->got.message);
    add(channel, needed)->reply = held;
    channel->promises.replies++;
}

static void free_held(struct held_reply *held)
{
    message_unref(&held->event.got.message);
    free(held->text);
    free(held->name);
    free(held);
}

static void send_held(struct channel *channel, struct held_reply *held)
{
    const struct event *event = &held->event;
    channel_emit(channel, event);
    if (event->u.reply.command == COMMAND_CONSUME && event->u.reply.status == STATUS_OK)
        channel->set->promise_calls->consume_ok_left(channel, event->u.reply.consumer);
    free_held(held);
}

/* ---- Sending. */

static void send_confirm(struct channel *channel, uint64_t upto, bool nack)
{
    struct event event = {.type = EVENT_CONFIRM, .channel = channel->id};
    event.u.confirm.upto = upto;
    event.u.confirm.nack = nack;
    event.u.confirm.multiple = !nack && upto - channel->confirmed > 1;
    channel->rates.confirm += upto - channel->confirmed;
    channel->set->rates.confirm += upto - channel->confirmed;
    channel->confirmed = upto;
    channel_emit(channel, &event);
}

static void drop_first(struct promise_queue *promises)
{
    promises->head = (promises->head + 1) & (promises->room - 1);
    promises->count--;
}

/* Sends the first entries, in order, as far as their batches are on disk. */
static void release(struct channel *channel)
{
    struct promise_queue *promises = &channel->promises;
    uint64_t upto = 0;
    while (promises->count && entry_at(promises, 0)->needed <= channel->set->store->committed) {
        struct promise entry = *entry_at(promises, 0);
        drop_first(promises);
        /* The batches that entries need never fall along a channel: see add. */
        CHECK(promises->count == 0 || entry_at(promises, 0)->needed >= entry.needed);
        if (!entry.reply && !entry.nack) {
            upto = entry.upto;
            continue;
        }
        if (upto)
            send_confirm(channel, upto, false);
        upto = 0;
        if (entry.nack) {
            send_confirm(channel, entry.upto, true);
        } else {
            promises->replies--;
            send_held(channel, entry.reply);
        }
    }
    if (upto)
        send_confirm(channel, upto, false);
    relist(channel);
    if (channel->closing && promises->count == 0)
        channel->set->promise_calls->through(channel);
}

void promise_release_due(struct channel *channel)
{
    if (channel->promise_list == PROMISE_DUE)
        release(channel);
}

void promise_flush(struct channels *channels)
{
    struct channel *channel;
    while ((channel = TAILQ_FIRST(&channels->promises_due)))
        release(channel);
}

void promise_committed(struct channels *channels)
{
    struct channel *next;
    for (struct channel *channel = TAILQ_FIRST(&channels->promises_held); channel; channel = next) {
        next = TAILQ_NEXT(channel, promise_link);
        if (entry_at(&channel->promises, 0)->needed <= channels->store->committed)
            release(channel);
    }
}

void promise_abandon(struct channel *channel, bool all)
{
    struct promise_queue *promises = &channel->promises;
    release(channel);
    channel->set->never_confirmed += promise_unconfirmed(channel);
    channel->confirmed = channel->publish_seq;
    uint32_t kept = 0, count = promises->count;
    for (uint32_t i = 0; i < count; i++) {
        struct promise entry = *entry_at(promises, i);
        if (entry.reply && !all) {
            *entry_at(promises, kept++) = entry;
        } else if (entry.reply) {
            free_held(entry.reply);
            promises->replies--;
        }
    }
    promises->count = kept;
    relist(channel);
    if (kept == 0) {
        free(promises->entries);
        *promises = (struct promise_queue){0};
    }
}

uint64_t promise_unconfirmed(const struct channel *channel)
{
    return channel->publish_seq - channel->confirmed;
}
