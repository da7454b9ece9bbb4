/* Dead letters, until they are sent: see dead_letter.h. */
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

/* ---- Messages that die. */

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
