/* A count of each message of a queue: see recount.h. */
#include "recount.h"

#include "broker/queue/queue.h"
#include "broker/store/store.h"
#include "broker/vhost_state.h"

static void recount_chunk(struct chunk *chunk, struct recounted *out)
{
    bool in_memory = chunk_in_memory(chunk);
    for (unsigned slot = 0; (slot = bit_next(chunk->live_bits, slot)) < JOURNAL_CHUNK_SLOTS;
         slot++) {
        const struct place place = {chunk, slot};
        uint64_t bytes = in_memory ? place_message(place)->body_bytes
                                   : journal_body_bytes(chunk->lane->store->journal,
                                                        chunk->lane->handle, place_seq(place));
        bool durable = bit_test(chunk->durable_bits, slot);
        out->messages++;
        out->bytes += bytes;
        out->persistent += durable;
        out->persistent_bytes += durable ? bytes : 0;
        out->ram += in_memory;
        out->ram_bytes += in_memory ? bytes : 0;
        out->ready_ram += in_memory && bit_test(chunk->ready_bits, slot);
    }
}

void recount_queue(struct vhost *vhost, struct bytes name, struct recounted *out)
{
    struct queue *queue = queues_find(&vhost->queues, name);
    *out = (struct recounted){0};
    for (struct lane *lane = &queue->lane; lane; lane = queue_lane_above(queue, lane))
        for (uint32_t i = 0; i < lane->ring_count; i++) {
            struct chunk *chunk = lane_chunk(lane, lane->base + i);
            if (chunk)
                recount_chunk(chunk, out);
        }
}
