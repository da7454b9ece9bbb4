/* A publisher: messages are prepared once in wire format and sent again and again; only the time
 * stamp at the front of each body changes.
 *
 * Normal course: waiting → loading (allowance → take → sent, again and again) → syncing → done. A
 * transaction is handled as a window of confirms: when it is full it is committed, and commit-ok
 * confirms all of its messages. Syncing waits for the confirms, or without confirms for the answer
 * to a basic.qos that is sent behind the last message: only then has the broker taken the bytes
 * that were in the kernel's buffers. What can go wrong: nacks and returns are counted; confirms for
 * unknown tags are ignored. */
#include "lane.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "leveret/base/clock.h"
#include "leveret/base/mem.h"
#include "leveret/wire/frame.h"
#include "leveret/wire/properties.h"
#include "topology.h"

/* The fewest entries of a ring of confirms. */
#define RING_MIN 1024u

/* Ends the frame that begins at start in out: fills in its length and adds the end octet. */
static void put_end(struct text *out, size_t start, enum frame_type type, uint16_t channel)
{
    frame_put_header(out->at + start, type, channel,
                     (uint32_t)(out->len - start - FRAME_HEADER_BYTES));
    *text_reserve(out, 1) = FRAME_END;
    out->len++;
}

static size_t put_begin(struct text *out)
{
    size_t start = out->len;
    text_reserve(out, FRAME_HEADER_BYTES);
    out->len += FRAME_HEADER_BYTES;
    return start;
}

static void put_publish(struct text *out, const struct lane *lane, const char *key)
{
    const struct options *options = lane->run->options;
    struct method method = {.id = METHOD_BASIC_PUBLISH};
    method.u.basic_publish = (struct basic_publish){
        .exchange = bytes_of_text(options->exchange ? options->exchange : ""),
        .routing_key = bytes_of_text(key),
        .mandatory = options->mandatory,
    };
    size_t start = put_begin(out);
    out->len += method_encode(&method, text_reserve(out, 1024), 1024);
    put_end(out, start, FRAME_METHOD, lane->channel);
}

static void put_header(struct text *out, const struct lane *lane)
{
    const struct options *options = lane->run->options;
    struct properties properties = {.present = PROPERTY_DELIVERY_MODE,
                                    .delivery_mode = options->persistent ? 2 : 1};
    size_t start = put_begin(out);
    struct writer w = writer_of(text_reserve(out, 12), 12);
    write_u16(&w, CLASS_BASIC);
    write_u16(&w, 0);
    write_u64(&w, options->size_bytes);
    out->len += 12;
    properties_encode(&properties, out);
    put_end(out, start, FRAME_HEADER, lane->channel);
}

static void put_body(struct text *out, const struct lane *lane, uint32_t frame_max)
{
    size_t left = lane->run->options->size_bytes;
    while (left) {
        size_t piece = frame_max - FRAME_OVERHEAD_BYTES;
        if (piece > left)
            piece = left;
        size_t start = put_begin(out);
        memset(text_reserve(out, piece), 'x', piece);
        out->len += piece;
        put_end(out, start, FRAME_BODY, lane->channel);
        left -= piece;
    }
}

/* The routing key of the block's message at index; all keys of a lane have the same length. */
static void lane_key(const struct lane *lane, unsigned index, char out[TOPOLOGY_NAME_MAX + 16])
{
    const struct options *options = lane->run->options;
    char key[TOPOLOGY_NAME_MAX];
    topology_key(options, lane->index % options->queues, key);
    if (options->keys == 1)
        snprintf(out, TOPOLOGY_NAME_MAX + 16, "%s", key);
    else
        snprintf(out, TOPOLOGY_NAME_MAX + 16, "%.240s%0*u", key,
                 snprintf(NULL, 0, "%u", options->keys - 1), index % options->keys);
}

static void build_block(struct lane *lane, uint32_t frame_max)
{
    const struct options *options = lane->run->options;
    char key[TOPOLOGY_NAME_MAX + 16];
    struct text out = {0};
    lane_key(lane, 0, key);
    put_publish(&out, lane, key);
    put_header(&out, lane);
    lane->stamp_at = options->stamped ? out.len + FRAME_HEADER_BYTES : 0;
    put_body(&out, lane, frame_max);
    lane->stride = out.len;

    uint32_t fit = (uint32_t)(LANE_CHUNK / lane->stride);
    lane->block_count = fit ? fit : 1;
    if (options->keys > 1)
        lane->block_count = options->keys * (1 + lane->block_count / options->keys);
    for (uint32_t i = 1; i < lane->block_count; i++) {
        lane_key(lane, i, key);
        put_publish(&out, lane, key);
        put_header(&out, lane);
        put_body(&out, lane, frame_max);
    }
    lane->block = out.at; /* the lane frees it */
}

void publisher_init(struct lane *lane, uint32_t frame_max)
{
    const struct options *options = lane->run->options;
    lane->limit = options->pmessages ? options->pmessages : UINT64_MAX;
    build_block(lane, frame_max);
    lane->low = lane->next = 1;
    lane->window = options->tx ? options->tx : options->confirm;
    if (lane->window) {
        size_t size = RING_MIN;
        while (size < (size_t)lane->window * 4)
            size *= 2;
        lane->ring = mem_need_array(NULL, size, sizeof *lane->ring);
        memset(lane->ring, 0, size * sizeof *lane->ring);
        lane->ring_mask = size - 1;
    }
}

void lane_clear(struct lane *lane)
{
    free(lane->block);
    free(lane->ring);
}

/* The number of messages that the rate allows by now. Messages that a pause held up are sent after
 * it. */
static uint64_t rate_allowance(struct lane *lane, uint64_t now_ns, uint64_t *wake_ns)
{
    double rate = lane->run->options->rate;
    double due = floor((double)(now_ns - lane->start_ns) * 1e-9 * rate) + 1;
    if (due > (double)lane->queued)
        return (uint64_t)due - lane->queued;
    uint64_t next_ns = lane->start_ns + (uint64_t)ceil((double)lane->queued / rate * 1e9);
    if (next_ns < *wake_ns)
        *wake_ns = next_ns;
    return 0;
}

uint64_t publisher_allowance(struct lane *lane, uint64_t now_ns, uint64_t *wake_ns)
{
    struct run *run = lane->run;
    if (lane->state == LANE_WAITING) {
        if (!atomic_load_explicit(&run->go, memory_order_relaxed))
            return 0;
        lane->state = LANE_LOADING;
        lane->start_ns = now_ns;
        /* Publishers with a rate start at different moments, so that they do not all send
         * at once. */
        if (run->options->rate > 0)
            lane->start_ns += (uint64_t)(1e9 / run->options->rate * lane->index / run->publishers);
    }
    if (lane->state != LANE_LOADING || now_ns < lane->start_ns ||
        atomic_load_explicit(&run->phase, memory_order_relaxed) != RUN_LOAD)
        return 0;
    uint64_t allowed = lane->limit - lane->queued;
    if (lane->ring) {
        uint64_t window = lane->window - lane->unconfirmed;
        uint64_t room = lane->ring_mask + 1 - (lane->next - lane->low);
        if (allowed > window)
            allowed = window;
        if (allowed > room)
            allowed = room;
    }
    if (allowed && run->options->rate > 0) {
        uint64_t due = rate_allowance(lane, now_ns, wake_ns);
        if (allowed > due)
            allowed = due;
    }
    return allowed;
}

struct bytes publisher_take(struct lane *lane, uint64_t count, uint64_t now_ns)
{
    uint64_t most = LANE_CHUNK / lane->stride;
    if (count > most)
        count = most ? most : 1;
    if (lane->block_next == lane->block_count)
        lane->block_next = 0;
    if (count > lane->block_count - lane->block_next)
        count = lane->block_count - lane->block_next;
    uint8_t *from = lane->block + lane->block_next * lane->stride;
    if (lane->stamp_at)
        for (uint64_t i = 0; i < count; i++)
            memcpy(from + i * lane->stride + lane->stamp_at, &now_ns, sizeof now_ns);
    if (lane->ring) {
        for (uint64_t i = 0; i < count; i++)
            lane->ring[(lane->next + i) & lane->ring_mask] = now_ns;
        lane->next += count;
        lane->unconfirmed += count;
    }
    lane->block_next += (uint32_t)count;
    lane->queued += count;
    return bytes_of(from, (size_t)count * lane->stride);
}

void publisher_sent(struct lane *lane, size_t left)
{
    uint64_t sent = lane->queued - (left + lane->stride - 1) / lane->stride;
    figure_add(lane->figures, FIGURE_SENT, sent - lane->sent);
    lane->sent = sent;
}

void publisher_synced(struct lane *lane, uint64_t now_ns)
{
    if (lane->state != LANE_SYNCING)
        return;
    lane->state = LANE_DONE;
    atomic_store_explicit(&lane->run->published_ns, now_ns, memory_order_relaxed);
    atomic_fetch_add(&lane->run->published, 1);
}

static void commit(struct lane *lane, struct client *client)
{
    struct method method = {.id = METHOD_TX_COMMIT};
    client_queue(client, lane->channel, &method);
    lane->committing = true;
}

void publisher_committed(struct lane *lane, uint64_t now_ns)
{
    lane->committing = false;
    publisher_confirmed(lane, lane->next - 1, true, false, now_ns);
}

void publisher_idle(struct lane *lane, struct client *client, uint64_t now_ns)
{
    bool over = lane->queued == lane->limit ||
                atomic_load_explicit(&lane->run->phase, memory_order_relaxed) != RUN_LOAD;
    if (lane->run->options->tx && !lane->committing && lane->sent == lane->queued &&
        lane->unconfirmed && (over || lane->unconfirmed == lane->window))
        commit(lane, client);
    if (!over || lane->sent != lane->queued || lane->state > LANE_LOADING)
        return;
    lane->state = LANE_SYNCING;
    if (lane->ring) {
        if (lane->unconfirmed == 0)
            publisher_synced(lane, now_ns);
        return;
    }
    struct method method = {.id = METHOD_BASIC_QOS};
    client_queue(client, lane->channel, &method);
}

void publisher_confirmed(struct lane *lane, uint64_t tag, bool multiple, bool nack, uint64_t now_ns)
{
    if (!lane->ring || tag < lane->low || tag >= lane->next)
        return;
    uint64_t count = 0;
    for (uint64_t at = multiple ? lane->low : tag; at <= tag; at++) {
        uint64_t *slot = &lane->ring[at & lane->ring_mask];
        if (*slot == 0)
            continue;
        histogram_record(&lane->figures->confirm_latency, now_ns - *slot, 1);
        *slot = 0;
        count++;
    }
    while (lane->low < lane->next && lane->ring[lane->low & lane->ring_mask] == 0)
        lane->low++;
    lane->unconfirmed -= count;
    figure_add(lane->figures, nack ? FIGURE_NACKED : FIGURE_CONFIRMED, count);
    if (lane->unconfirmed == 0)
        publisher_synced(lane, now_ns);
}
