/* A ring of bytes that holds records: length, level, line.
 *
 * Normal course: a record is written at the end; the oldest ones are dropped until it fits. A
 * record may run over the ring's end into its beginning. A reader walks from the oldest record, or
 * from where it was before. What can go wrong: nothing, but that a reader is too slow. */
#include "leveret/base/log_ring.h"

#include <pthread.h>
#include <string.h>

#include "leveret/base/mem.h"

struct ring_record {
    uint32_t len, level;
};

/* Where a record begins. Positions count bytes from the ring's beginning in time and never wrap;
 * their place in the ring is their rest. */
struct log_ring {
    pthread_mutex_t lock;
    size_t bytes;
    uint64_t first, end;       /* numbers of lines */
    uint64_t first_at, end_at; /* positions */
    /* Where the last reader stopped: reading on from there needs no walk. */
    uint64_t read, read_at;
    uint8_t at[];
};

struct log_ring *log_ring_new(size_t bytes)
{
    struct log_ring *ring = mem_need(sizeof *ring + bytes);
    pthread_mutex_init(&ring->lock, NULL);
    ring->bytes = bytes;
    return ring;
}

void log_ring_free(struct log_ring **ring)
{
    if (*ring)
        pthread_mutex_destroy(&(*ring)->lock);
    free(*ring);
    *ring = NULL;
}

static void put(struct log_ring *ring, const void *from, size_t len)
{
    size_t at = ring->end_at % ring->bytes;
    size_t before_end = len < ring->bytes - at ? len : ring->bytes - at;
    memcpy(ring->at + at, from, before_end);
    memcpy(ring->at, (const uint8_t *)from + before_end, len - before_end);
    ring->end_at += len;
}

static void get(const struct log_ring *ring, uint64_t position, void *to, size_t len)
{
    size_t at = position % ring->bytes;
    size_t before_end = len < ring->bytes - at ? len : ring->bytes - at;
    memcpy(to, ring->at + at, before_end);
    memcpy((uint8_t *)to + before_end, ring->at, len - before_end);
}

void log_ring_add(struct log_ring *ring, unsigned level, struct bytes line)
{
    const struct ring_record record = {(uint32_t)line.len, level};
    size_t need = sizeof record + line.len;
    if (need > ring->bytes)
        return;
    pthread_mutex_lock(&ring->lock);
    while (ring->end_at + need - ring->first_at > ring->bytes) {
        struct ring_record oldest;
        get(ring, ring->first_at, &oldest, sizeof oldest);
        ring->first_at += sizeof oldest + oldest.len;
        ring->first++;
    }
    put(ring, &record, sizeof record);
    put(ring, line.at, line.len);
    ring->end++;
    pthread_mutex_unlock(&ring->lock);
}

void log_ring_span(struct log_ring *ring, uint64_t *first, uint64_t *end)
{
    pthread_mutex_lock(&ring->lock);
    *first = ring->first;
    *end = ring->end;
    pthread_mutex_unlock(&ring->lock);
}

/* The position of a line that is kept, or of the end. */
static uint64_t find(struct log_ring *ring, uint64_t number)
{
    bool on = ring->read >= ring->first && ring->read <= number;
    uint64_t at = on ? ring->read_at : ring->first_at;
    struct ring_record record;
    for (uint64_t i = on ? ring->read : ring->first; i < number; i++) {
        get(ring, at, &record, sizeof record);
        at += sizeof record + record.len;
    }
    return at;
}

bool log_ring_read(struct log_ring *ring, unsigned level, uint64_t *next, uint64_t *missed,
                   struct text *out)
{
    bool found = false;
    pthread_mutex_lock(&ring->lock);
    if (*next < ring->first) {
        *missed += ring->first - *next;
        *next = ring->first;
    }
    uint64_t at = find(ring, *next < ring->end ? *next : ring->end);
    while (!found && *next < ring->end) {
        struct ring_record record;
        get(ring, at, &record, sizeof record);
        found = record.level >= level;
        if (found) {
            get(ring, at + sizeof record, text_reserve(out, record.len), record.len);
            out->len += record.len;
        }
        at += sizeof record + record.len;
        ++*next;
    }
    ring->read = *next < ring->end ? *next : ring->end;
    ring->read_at = at;
    pthread_mutex_unlock(&ring->lock);
    return found;
}
