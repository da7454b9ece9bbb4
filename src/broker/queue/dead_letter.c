/* Dead letters: see dead_letter.h.
 *
 * The dead letters of a chunk are kept beside it (struct deaths), four bytes each, in the order in
 * which they died. A struct deaths stands in the list of what all its messages wait for: to be
 * sent, to be read (both lists of the vhost), or to be taken by a queue (a list of their own
 * queue). A dead letter that no queue took holds up those behind it in its chunk, and becomes the
 * last of them for the next attempt. */
#include "broker/queue/dead_letter.h"

#include "broker/queue/queues.h"
#include "leveret/base/mem.h"

/* With this many dead letters waiting to be sent, expiry and length limits stop producing more. */
#define CROWD 4000u

void dead_letters_init(struct dead_letters *letters)
{
    TAILQ_INIT(&letters->due);
    TAILQ_INIT(&letters->unread);
    TAILQ_INIT(&letters->reading);
    TAILQ_INIT(&letters->holding);
    letters->retry_ms = UINT64_MAX;
}

/* ---- What a queue does with its dead letters. */

/* As in RabbitMQ at-least-once needs a queue that refuses messages at its length limit: a queue
 * that drops its head would drop the dead letters that it keeps. */
bool dead_letter_is_kept(const struct queue *queue)
{
    return queue->settings.at_least_once && queue->settings.overflow == OVERFLOW_REJECT_PUBLISH;
}

bool dead_letter_wanted(const struct queue *queue)
{
    const struct queue_settings *settings = &queue->settings;
    if (!settings->dead_letter_exchange.at)
        return false;
    return dead_letter_is_kept(queue) ||
           topology_exchange(queue->set->topology, settings->dead_letter_exchange);
}

void dead_letter_count(const struct queue *queue, enum death reason, uint64_t messages)
{
    enum counted_strategy strategy = !dead_letter_wanted(queue)   ? COUNTED_DISABLED
                                     : dead_letter_is_kept(queue) ? COUNTED_AT_LEAST_ONCE
                                                                  : COUNTED_AT_MOST_ONCE;
    struct counters *counters = queue->set->counters;
    counters->dead_lettered[queue_counted_type(queue)][strategy][reason] += messages;
}

bool dead_letter_crowded(const struct queue *queue)
{
    return queue->set->dead_letters.due_count >= CROWD && dead_letter_wanted(queue);
}

/* ---- Lists. */

static struct deaths_list *list_of(struct deaths *deaths)
{
    struct dead_letters *letters = &deaths->chunk->lane->queue->set->dead_letters;
    struct deaths_list *lists[] = {
        [DEATHS_UNLISTED] = NULL,
        [DEATHS_DUE] = &letters->due,
        [DEATHS_UNREAD] = &letters->unread,
        [DEATHS_READING] = &letters->reading,
        [DEATHS_HELD] = &deaths->dying->held,
    };
    return lists[deaths->state];
}

void deaths_move(struct deaths *deaths, enum deaths_state state)
{
    struct dead_letters *letters = &deaths->chunk->lane->queue->set->dead_letters;
    struct dying *dying = deaths->dying;
    unsigned waiting = deaths->count - deaths->next;
    bool held = !TAILQ_EMPTY(&dying->held);
    if (deaths->state)
        TAILQ_REMOVE(list_of(deaths), deaths, link);
    letters->due_count -= deaths->state == DEATHS_DUE ? waiting : 0;
    letters->readings -= deaths->state == DEATHS_READING;
    deaths->state = (uint8_t)state;
    letters->due_count += state == DEATHS_DUE ? waiting : 0;
    letters->readings += state == DEATHS_READING;
    if (state)
        TAILQ_INSERT_TAIL(list_of(deaths), deaths, link);
    bool holds = !TAILQ_EMPTY(&dying->held);
    if (holds && !held) {
        TAILQ_INSERT_TAIL(&letters->holding, dying, link);
        letters->holding_count++;
    } else if (held && !holds) {
        TAILQ_REMOVE(&letters->holding, dying, link);
        letters->holding_count--;
    }
}

/* The chunk's struct deaths; makes it, and that of the queue, if there is none. */
static struct deaths *deaths_of(struct queue *queue, struct chunk *chunk)
{
    if (!queue->dying) {
        queue->dying = mem_need(sizeof *queue->dying);
        queue->dying->queue = queue;
        TAILQ_INIT(&queue->dying->held);
    }
    if (!chunk->deaths) {
        chunk->deaths = mem_need(sizeof *chunk->deaths);
        chunk->deaths->chunk = chunk;
        chunk->deaths->dying = queue->dying;
    }
    return chunk->deaths;
}

void deaths_free(struct deaths *deaths)
{
    deaths_move(deaths, DEATHS_UNLISTED);
    deaths->chunk->deaths = NULL;
    free(deaths->entries);
    free(deaths);
}

void deaths_add(struct deaths *deaths, struct dead dead)
{
    if (deaths->count == deaths->room && deaths->next) {
        deaths->count = (uint16_t)(deaths->count - deaths->next);
        memmove(deaths->entries, deaths->entries + deaths->next,
                deaths->count * sizeof *deaths->entries);
        deaths->next = 0;
    } else if (deaths->count == deaths->room) {
        deaths->room = (uint16_t)(deaths->room ? deaths->room * 2 : 4);
        deaths->entries = mem_need_array(deaths->entries, deaths->room, sizeof *deaths->entries);
    }
    deaths->entries[deaths->count++] = dead;
    if (deaths->state == DEATHS_DUE)
        deaths->chunk->lane->queue->set->dead_letters.due_count++;
}

struct dead deaths_take(struct deaths *deaths)
{
    if (deaths->state == DEATHS_DUE)
        deaths->chunk->lane->queue->set->dead_letters.due_count--;
    return deaths->entries[deaths->next++];
}

void dead_letter(struct lane *lane, struct place place, enum death reason)
{
    struct queue *queue = lane->queue;
    if (queue)
        dead_letter_count(queue, reason, 1);
    if (!queue || !dead_letter_wanted(queue)) {
        struct message *message = lane_discard(lane, place);
        message_unref(&message);
        return;
    }
    if (bit_test(place.chunk->ready_bits, place.slot))
        lane_hold(lane, place);
    lane->store->journalled |= bit_test(place.chunk->durable_bits, place.slot);
    struct deaths *deaths = deaths_of(queue, place.chunk);
    deaths_add(deaths, (struct dead){(uint16_t)place.slot, (uint8_t)reason});
    queue->dying->count++;
    lane->queue->set->dead_letters.count++;
    if (deaths->state == DEATHS_UNLISTED)
        deaths_move(deaths, DEATHS_DUE);
}

void dead_letter_paged_in(struct chunk *chunk)
{
    struct deaths *deaths = chunk->deaths;
    if (deaths && (deaths->state == DEATHS_READING || deaths->state == DEATHS_UNREAD))
        deaths_move(deaths, DEATHS_DUE);
}

void dead_letter_failed(struct lane *lane)
{
    for (uint64_t i = 0; i < lane->ring_count; i++) {
        struct chunk *chunk = lane_chunk(lane, lane->base + i);
        if (chunk && chunk->deaths && !chunk_in_memory(chunk))
            deaths_move(chunk->deaths, DEATHS_UNLISTED);
    }
}

void dead_letter_forget(struct chunk *chunk)
{
    struct deaths *deaths = chunk->deaths;
    unsigned waiting = deaths->count - deaths->next;
    deaths->dying->count -= waiting;
    chunk->lane->queue->set->dead_letters.count -= waiting;
    for (unsigned i = 0; i < waiting; i++)
        lane_forget_unsettled(chunk->lane);
    deaths_free(deaths);
}
