/* Histories of exchanges: see history.h. A history is a ring, which grows up to the length that the
 * exchange was declared with. */
#include "broker/publish/history.h"

#include <stdlib.h>

#include "broker/publish/publish.h"
#include "broker/topology/exchange_history.h"
#include "leveret/base/check.h"
#include "leveret/base/mem.h"
#include "leveret/wire/properties.h"
#include "leveret/wire/table.h"

/* Places of a ring when it is first made; fewer when the history is shorter. */
#define ROOM_MIN 8u

struct history {
    struct vhost *vhost;
    struct message **ring;
    uint32_t room, length_max;
    uint64_t first, next; /* numbers of the oldest message and of the next one to be kept */
};

struct history *history_new(struct vhost *vhost, const struct exchange *exchange)
{
    if (exchange->type != &exchange_type_history && exchange->inner != &exchange_type_history)
        return NULL;
    struct history *history = mem_need(sizeof *history);
    history->vhost = vhost;
    history->length_max = exchange_history_length(exchange->arguments);
    return history;
}

static uint64_t bytes_of_message(const struct message *message)
{
    return sizeof(struct message *) + message_memory(message);
}

static struct message **place_of(struct history *history, uint64_t number)
{
    CHECK(history->room > 0);
    return &history->ring[number % history->room];
}

static void forget_oldest(struct history *history)
{
    struct message **oldest = place_of(history, history->first++);
    holding_give(&history->vhost->store.holdings, ACCOUNT_HISTORY, bytes_of_message(*oldest));
    message_unref(oldest);
}

void history_free(struct history **history_at)
{
    struct history *history = *history_at;
    *history_at = NULL;
    if (!history)
        return;
    while (history->first < history->next)
        forget_oldest(history);
    free(history->ring);
    free(history);
}

/* Makes the ring larger. Each message moves to the place that its number has in the new ring. */
static void grow(struct history *history)
{
    uint32_t room = history->room ? history->room * 2 : ROOM_MIN;
    if (room > history->length_max)
        room = history->length_max;
    struct message **ring = mem_need_array(NULL, room, sizeof(struct message *));
    for (uint64_t number = history->first; number < history->next; number++)
        ring[number % room] = *place_of(history, number);
    free(history->ring);
    history->ring = ring;
    history->room = room;
}

static bool is_not_to_be_kept(const struct message *message)
{
    struct field field;
    return message->has_headers &&
           table_find(properties_headers(message_properties(message)), "x-recent-history-no-store",
                      &field) &&
           field.type == FIELD_BOOL && field.value.integer;
}

/* Forgets the oldest messages until the account has room for so many bytes. False: the history is
 * empty and there is still no room. */
static bool make_room(struct history *history, uint64_t bytes)
{
    struct vhost *vhost = history->vhost;
    while (holding_take(&vhost->store.holdings, ACCOUNT_HISTORY, bytes, "one more message",
                        &vhost->store.call.refusal)) {
        if (history->first == history->next)
            return false;
        forget_oldest(history);
    }
    return true;
}

void history_keep(struct history *history, struct message *message)
{
    if (is_not_to_be_kept(message))
        return;
    if (history->next - history->first == history->length_max)
        forget_oldest(history);
    if (!make_room(history, bytes_of_message(message)))
        return;
    if (history->next - history->first == history->room)
        grow(history);
    *place_of(history, history->next++) = message_ref(message);
}

static void give(struct exchange *exchange, struct endpoint *destination, struct message *message)
{
    struct vhost *vhost = exchange->history->vhost;
    uint64_t needed = 0;
    if (destination->kind == ENDPOINT_QUEUE) {
        call_spend(&vhost->store.call, WORK_QUEUE);
        exchange->publish_out++;
        (void)queue_publish(queue_of(destination), message, &needed);
    } else {
        exchange->publish_out += publish_through(vhost, (struct exchange *)destination, message);
    }
}

bool history_replay(struct exchange *exchange, struct endpoint *destination,
                    struct progress *progress)
{
    struct history *history = exchange->history;
    if (!progress->under_way) {
        progress->count = history->first;
        progress->upto = history->next;
    }
    if (progress->count < history->first)
        progress->count = history->first;
    for (; progress->count < progress->upto; progress->count++) {
        if (call_left(&history->vhost->store.call, WORK_QUEUE) == 0)
            return false;
        /* Its own reference: publishing it may bring it into this history again, which may then
         * forget this one. */
        struct message *message = message_ref(*place_of(history, progress->count));
        give(exchange, destination, message);
        message_unref(&message);
        if (progress->count + 1 < history->first)
            progress->count = history->first - 1;
    }
    return true;
}
