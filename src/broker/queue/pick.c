/* Picking messages: see pick.h. The bit maps of the chunks are in memory, so that nothing is read.
 */
#include "broker/queue/pick.h"

#include "broker/queue/deaths.h"

/* Chunks that one unit of work pays for. */
#define CHUNKS_PER_UNIT 16u

/* ---- The slots of a chunk that are wanted. */

static void dying_bits(const struct chunk *chunk, uint64_t out[JOURNAL_CHUNK_WORDS])
{
    memset(out, 0, JOURNAL_CHUNK_WORDS * sizeof *out);
    const struct deaths *deaths = chunk->deaths;
    for (unsigned i = deaths ? deaths->next : 0; deaths && i < deaths->count; i++)
        bit_set(out, deaths->entries[i].slot);
}

static void wanted_bits(const struct chunk *chunk, unsigned states,
                        uint64_t out[JOURNAL_CHUNK_WORDS])
{
    uint64_t dying[JOURNAL_CHUNK_WORDS];
    dying_bits(chunk, dying);
    for (unsigned word = 0; word < JOURNAL_CHUNK_WORDS; word++) {
        uint64_t ready = chunk->ready_bits[word];
        uint64_t unacked = chunk->live_bits[word] & ~ready & ~dying[word];
        out[word] = (states & MESSAGE_STATE_READY ? ready : 0) |
                    (states & MESSAGE_STATE_UNACKED ? unacked : 0) |
                    (states & MESSAGE_STATE_DYING ? dying[word] : 0);
    }
}

static uint64_t wanted_count(const struct chunk *chunk, unsigned states)
{
    unsigned dying = chunk->deaths ? chunk->deaths->count - chunk->deaths->next : 0;
    return (states & MESSAGE_STATE_READY ? chunk->ready : 0u) +
           (states & MESSAGE_STATE_UNACKED ? chunk->live - chunk->ready - dying : 0u) +
           (states & MESSAGE_STATE_DYING ? dying : 0u);
}

unsigned queue_message_state(struct place place)
{
    uint64_t dying[JOURNAL_CHUNK_WORDS];
    if (bit_test(place.chunk->ready_bits, place.slot))
        return MESSAGE_STATE_READY;
    dying_bits(place.chunk, dying);
    return bit_test(dying, place.slot) ? MESSAGE_STATE_DYING : MESSAGE_STATE_UNACKED;
}

/* ---- The picking. */

struct picking {
    const struct pick_range *range;
    uint64_t passed; /* wanted messages before the chunk that is looked at */
    uint64_t skip;   /* wanted messages that are still to be skipped */
    bool begun;      /* true: the place from which on messages are wanted has been reached */
    struct pick *out;
    size_t count, max;
    uint64_t chunks;
};

/* Picks the slots of a chunk, whose wanted messages begin at position picking->passed. */
static void pick_slots(struct picking *picking, struct chunk *chunk)
{
    uint64_t bits[JOURNAL_CHUNK_WORDS], position = picking->passed;
    wanted_bits(chunk, picking->range->states, bits);
    for (unsigned slot = 0;
         (slot = bit_next(bits, slot)) < JOURNAL_CHUNK_SLOTS && picking->count < picking->max;
         slot++, position++) {
        uint64_t seq = place_seq((struct place){chunk, slot});
        if (!picking->begun && seq < picking->range->seq)
            continue;
        picking->begun = true;
        if (picking->skip)
            picking->skip--;
        else
            picking->out[picking->count++] = (struct pick){chunk->lane, seq, position};
    }
}

static void pick_lane(struct picking *picking, struct lane *lane)
{
    for (uint32_t i = 0; i < lane->ring_count && picking->count < picking->max; i++) {
        struct chunk *chunk = lane_chunk(lane, lane->base + i);
        uint64_t count = chunk ? wanted_count(chunk, picking->range->states) : 0;
        picking->chunks++;
        if (!count)
            continue;
        if (picking->begun && picking->skip >= count)
            picking->skip -= count;
        else if (picking->begun || chunk->number >= picking->range->seq / JOURNAL_CHUNK_SLOTS)
            pick_slots(picking, chunk);
        picking->passed += count;
    }
}

static uint64_t count_all(const struct pick_range *range, struct lane *const *lanes, unsigned count,
                          uint64_t *chunks)
{
    uint64_t sum = 0;
    for (unsigned at = 0; at < count; at++)
        for (uint32_t i = 0; i < lanes[at]->ring_count; i++) {
            const struct chunk *chunk = lane_chunk(lanes[at], lanes[at]->base + i);
            sum += chunk ? wanted_count(chunk, range->states) : 0;
            ++*chunks;
        }
    return sum;
}

static void reverse(struct pick *picks, size_t count)
{
    for (size_t i = 0; i < count / 2; i++) {
        struct pick pick = picks[i];
        picks[i] = picks[count - 1 - i];
        picks[count - 1 - i] = pick;
    }
}

size_t queue_pick(struct queue *queue, const struct pick_range *range, struct pick *out, size_t max,
                  uint64_t *work)
{
    struct lane *lanes[QUEUE_LANES_MAX];
    unsigned count = queue_lanes_in_order(queue, lanes);
    struct picking picking = {
        .range = range, .skip = range->offset, .begun = !range->from_place, .out = out, .max = max};
    if (range->from_tail) {
        uint64_t all = count_all(range, lanes, count, &picking.chunks);
        uint64_t end = all > range->offset ? all - range->offset : 0;
        picking.max = end < max ? (size_t)end : max;
        picking.skip = end - picking.max;
    }
    for (unsigned at = 0; at < count && picking.count < picking.max; at++) {
        if (range->from_place && !picking.begun && lanes[at]->number != range->lane)
            picking.passed += count_all(range, &lanes[at], 1, &picking.chunks);
        else
            pick_lane(&picking, lanes[at]);
        /* The place is in this lane, or behind its last message. */
        picking.begun |= lanes[at]->number == range->lane;
    }
    if (range->from_tail)
        reverse(out, picking.count);
    *work += picking.chunks / CHUNKS_PER_UNIT;
    return picking.count;
}
