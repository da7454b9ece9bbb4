/* Part of command (command.h): looking at messages (peek.h), and removing one of them. */
#include "broker/command/peek.h"

#include <stdlib.h>

#include "broker/command/command.h"
#include "broker/command/queue_access.h"
#include "broker/queue/pick.h"
#include "broker/store/page_reader.h"
#include "broker/topology/copies.h"
#include "leveret/base/mem.h"

/* Unsettled deliveries of which one unit of work pays for the look. */
#define ENTRIES_PER_UNIT 16u
/* Units of work for a message that is shown. */
#define WORK_SHOWN 3u

/* The delivery of a picked message. */
struct delivery {
    uint16_t channel;
    uint64_t tag, since_ms; /* tag 0: no delivery was found */
    struct text peer_name, consumer_tag;
};

struct peek {
    struct channel *channel;
    struct page_reader *reader;
    uint64_t queue_number; /* in queues.roster */
    struct text queue_name;
    uint64_t looked_after; /* channels up to this number have been looked through */
    struct map wanted; /* from the first bytes of a pick (see pick_key) to its struct delivery */
    struct delivery *deliveries; /* by pick */
    uint32_t shown;
    size_t count, next; /* picks[next .. count) are still to be shown */
    struct pick picks[];
};

void peek_end(struct channel *channel)
{
    struct peek *peek = channel->peek;
    if (!peek)
        return;
    channel->peek = NULL;
    for (size_t i = 0; i < peek->count; i++) {
        text_free(&peek->deliveries[i].peer_name);
        text_free(&peek->deliveries[i].consumer_tag);
    }
    page_reader_close(&peek->reader);
    text_free(&peek->queue_name);
    map_free(&peek->wanted);
    free(peek->deliveries);
    free(peek);
}

/* ---- The deliveries of unacked messages. */

/* A key that names a message in all of the vhost: its lane and its seq. */
struct pick_key {
    const struct lane *lane;
    uint64_t seq;
};
_Static_assert(offsetof(struct pick, seq) == offsetof(struct pick_key, seq), "a pick begins so");

static void want_delivery(struct peek *peek, size_t at)
{
    const struct pick *pick = &peek->picks[at];
    if (queue_message_state(lane_place(pick->lane, pick->seq)) == MESSAGE_STATE_UNACKED)
        map_put(&peek->wanted, bytes_of(pick, sizeof(struct pick_key)), &peek->deliveries[at]);
}

static void note_delivery(struct delivery *delivery, const struct channel *channel,
                          const struct unsettled_entry *entry)
{
    const struct moment *now = &channel->set->store->call.now;
    uint64_t since_ms = (uint64_t)entry->since_s * 1000;
    uint64_t age_ms = now->steady_ms > since_ms ? now->steady_ms - since_ms : 0;
    delivery->channel = channel->id;
    delivery->tag = entry->tag;
    delivery->since_ms = now->wall_ms - age_ms;
    delivery->peer_name.len = delivery->consumer_tag.len = 0;
    text_add_bytes(&delivery->peer_name, channel->peer->name);
    if (entry->consumer)
        text_add_bytes(&delivery->consumer_tag, entry->consumer->tag);
}

/* Looks for the deliveries among those of all channels, as far as this call may go. Returns false
 * when channels are left. */
static bool look_through_channels(struct peek *peek)
{
    struct channels *channels = peek->channel->set;
    struct channel *channel;
    while (peek->wanted.count) {
        const struct unsettled_entry *entry;
        uint32_t at = 0;
        if (!call_left(&channels->store->call, 1))
            return false;
        channel = roster_next(&channels->roster, &peek->looked_after);
        if (!channel)
            break;
        while ((entry = unsettled_next(&channel->unsettled, &at))) {
            const struct pick_key key = {entry->lane, entry->seq};
            struct delivery *delivery = map_get(&peek->wanted, bytes_of(&key, sizeof key));
            if (delivery)
                note_delivery(delivery, channel, entry);
        }
        call_spend(&channels->store->call, 1 + at / ENTRIES_PER_UNIT);
    }
    map_free(&peek->wanted);
    return true;
}

/* ---- Showing. */

static void show(struct peek *peek, const struct pick *pick, struct place place,
                 const struct queue *queue)
{
    uint64_t expires_ms = 0;
    struct message *message = page_reader_message(peek->reader, place, &expires_ms);
    const struct delivery *delivery = &peek->deliveries[pick - peek->picks];
    if (!message)
        return;
    struct peeked peeked = {
        .message = message->blind ? copies_shown(message) : message_ref(message),
        .place = {pick->lane->number, pick->seq},
        .position = pick->position,
        .expires_ms = expires_ms,
        .returns = queue_counts(queue) ? returns_of(place).returns : 0,
        .state = (uint8_t)queue_message_state(place),
        .redelivered = bit_test(place.chunk->redelivered_bits, place.slot),
    };
    if (peeked.state == MESSAGE_STATE_UNACKED) {
        peeked.peer_name = text_bytes(&delivery->peer_name);
        peeked.consumer_tag = text_bytes(&delivery->consumer_tag);
        peeked.channel = delivery->channel;
        peeked.delivery_tag = delivery->tag;
        peeked.since_ms = delivery->since_ms;
    }
    struct event event = channel_event(peek->channel, EVENT_PEEKED);
    event.u.peeked.peeked = &peeked;
    channel_emit(peek->channel, &event);
    message_unref(&peeked.message);
    peek->shown++;
}

static void finish(struct peek *peek)
{
    struct channel *channel = peek->channel;
    struct event reply = channel_event(channel, EVENT_REPLY);
    reply.u.reply.command = COMMAND_PEEK;
    reply.u.reply.messages = peek->shown;
    peek_end(channel);
    promise_reply(channel, &reply, 0);
}

static void fail_deleted(struct peek *peek)
{
    struct channel *channel = peek->channel;
    channel_refuse(channel, COMMAND_PEEK, STATUS_NOT_FOUND, "no queue '%.*s' in vhost '%.*s'",
                   BYTES_PRINT(text_bytes(&peek->queue_name)),
                   BYTES_PRINT(channel->set->vhost_name));
    peek_end(channel);
}

/* Shows the messages that can be shown now. What is left is shown when their page has come, or by
 * the next call of the command: then this returns false. */
static bool show_some(struct peek *peek)
{
    struct channel *channel = peek->channel;
    struct vhost *vhost = channel->vhost;
    struct queue *queue = queues_find(&vhost->queues, text_bytes(&peek->queue_name));
    if (!queue || queue->number != peek->queue_number) {
        fail_deleted(peek);
        return true;
    }
    for (; peek->next < peek->count; peek->next++) {
        const struct pick *pick = &peek->picks[peek->next];
        unsigned slot = (unsigned)(pick->seq % JOURNAL_CHUNK_SLOTS);
        struct chunk *chunk = lane_chunk(pick->lane, pick->seq / JOURNAL_CHUNK_SLOTS);
        if (!chunk || !bit_test(chunk->live_bits, slot))
            continue;
        enum page_turn turn = page_reader_turn(peek->reader, chunk);
        if (turn == PAGE_COMES)
            return true;
        if (turn == PAGE_DAMAGED) {
            peek_end(channel);
            queue_refuse_unreadable(channel, COMMAND_PEEK, queue);
            return true;
        }
        if (!call_left(&vhost->store.call, WORK_SHOWN))
            return false;
        call_spend(&vhost->store.call, WORK_SHOWN);
        show(peek, pick, (struct place){chunk, slot}, queue);
    }
    finish(peek);
    return true;
}

static void wake(struct page_reader *reader)
{
    struct peek *peek = reader->context;
    if (!show_some(peek))
        page_reader_again(reader);
}

/* ---- Commands. */

/* Errors: PRECONDITION_FAILED. */
static bool begin(struct channel *channel, const struct command *command)
{
    struct vhost *vhost = channel->vhost;
    uint32_t count = command->u.peek.count;
    struct queue *queue =
        queue_access_find(channel, command->type, command->u.peek.queue, QUEUE_ACCESS_USE);
    if (!queue)
        return false;
    if (count > PEEK_MAX) {
        channel_refuse(channel, command->type, STATUS_PRECONDITION_FAILED,
                       "at most %u messages can be looked at together", PEEK_MAX);
        return false;
    }
    const struct pick_range range = {
        .states = command->u.peek.states,
        .from_tail = command->u.peek.from_tail,
        .from_place = command->u.peek.from.seq && !command->u.peek.from_tail,
        .lane = command->u.peek.from.lane,
        .seq = command->u.peek.from.seq,
        .offset = command->u.peek.offset,
    };
    uint64_t work = 0;
    struct peek *peek = mem_need(sizeof *peek + count * sizeof *peek->picks);
    peek->channel = channel;
    peek->reader = page_reader_open(&vhost->store, wake, peek);
    peek->queue_number = queue->number;
    text_add_bytes(&peek->queue_name, queue->endpoint.name);
    peek->count = queue_pick(queue, &range, peek->picks, count, &work);
    peek->deliveries = mem_need_array(NULL, peek->count + 1, sizeof *peek->deliveries);
    memset(peek->deliveries, 0, (peek->count + 1) * sizeof *peek->deliveries);
    channel->peek = peek;
    if (range.states & MESSAGE_STATE_UNACKED)
        for (size_t i = 0; i < peek->count; i++)
            want_delivery(peek, i);
    call_spend(&vhost->store.call, WORK_COMMAND + work);
    return true;
}

void command_peek(struct channel *channel, const struct command *command)
{
    if (channel->peek && !channel->progress.under_way) {
        channel_refuse(channel, command->type, STATUS_PRECONDITION_FAILED,
                       "the channel looks at messages already");
        return;
    }
    if (!channel->peek && !begin(channel, command))
        return;
    if (!look_through_channels(channel->peek) || !show_some(channel->peek))
        channel_goes_on(channel);
}

void command_drop_message(struct channel *channel, const struct command *command)
{
    struct bytes name = command->u.drop_message.queue;
    struct message_place at = command->u.drop_message.place;
    struct queue *queue = queue_access_find(channel, command->type, name, QUEUE_ACCESS_USE);
    if (!queue)
        return;
    struct lane *lane = queue_lane_numbered(queue, at.lane);
    struct chunk *chunk = lane ? lane_chunk(lane, at.seq / JOURNAL_CHUNK_SLOTS) : NULL;
    struct place place = {chunk, (unsigned)(at.seq % JOURNAL_CHUNK_SLOTS)};
    if (!chunk || !bit_test(chunk->live_bits, place.slot)) {
        channel_refuse(channel, command->type, STATUS_NOT_FOUND,
                       "the message is not in queue '%.*s' in vhost '%.*s' any more",
                       BYTES_PRINT(name), BYTES_PRINT(channel->set->vhost_name));
        return;
    }
    if (!bit_test(chunk->ready_bits, place.slot)) {
        channel_refuse(channel, command->type, STATUS_RESOURCE_LOCKED,
                       "the message in queue '%.*s' in vhost '%.*s' has been delivered and waits "
                       "for its acknowledgement, or is being dead-lettered",
                       BYTES_PRINT(name), BYTES_PRINT(channel->set->vhost_name));
        return;
    }
    struct message *message = queue_take(queue, place);
    message_unref(&message);
    if (queue->expiring)
        queue_expire(queue, 0);
    channel_reply(channel, command);
}
