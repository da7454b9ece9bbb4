/* See counts.h. */
#include "journal/memory/counts.h"

#include "journal/sizes.h"
#include "journal/slots.h"
#include "leveret/base/mem.h"

struct count {
    uint64_t number;
    uint64_t live[JOURNAL_CHUNK_WORDS];
    struct sizes sizes;
};

static struct count *find(const struct counts *counts, uint64_t number)
{
    return map_get(&counts->chunks, bytes_of(&number, sizeof number));
}

static bool is_live(const struct count *count, unsigned slot)
{
    return count && slots_has(count->live, slot);
}

static void free_count(struct count *count)
{
    sizes_clear(&count->sizes);
    free(count);
}

void counts_free(struct counts *counts)
{
    size_t at = 0;
    for (struct count *count; (count = map_next(&counts->chunks, &at));)
        free_count(count);
    map_free(&counts->chunks);
}

void counts_add(struct counts *counts, uint64_t seq, uint64_t body_bytes)
{
    unsigned slot = (unsigned)(seq % JOURNAL_CHUNK_SLOTS);
    struct count *count = find(counts, seq / JOURNAL_CHUNK_SLOTS);
    if (is_live(count, slot))
        return;
    if (!count) {
        count = mem_need(sizeof *count);
        count->number = seq / JOURNAL_CHUNK_SLOTS;
        map_put(&counts->chunks, bytes_of(&count->number, sizeof count->number), count);
    }
    slots_add(count->live, slot);
    sizes_add(&count->sizes, slot, body_bytes);
}

bool counts_remove(struct counts *counts, uint64_t seq)
{
    unsigned slot = (unsigned)(seq % JOURNAL_CHUNK_SLOTS);
    struct count *count = find(counts, seq / JOURNAL_CHUNK_SLOTS);
    if (!is_live(count, slot))
        return false;
    slots_remove(count->live, slot);
    sizes_remove(&count->sizes, slot);
    if (count->sizes.count == 0) {
        map_remove(&counts->chunks, bytes_of(&count->number, sizeof count->number));
        free_count(count);
    }
    return true;
}

bool counts_find(const struct counts *counts, uint64_t seq, uint64_t *body_bytes)
{
    unsigned slot = (unsigned)(seq % JOURNAL_CHUNK_SLOTS);
    const struct count *count = find(counts, seq / JOURNAL_CHUNK_SLOTS);
    if (!is_live(count, slot))
        return false;
    *body_bytes = sizes_of(&count->sizes, slot);
    return true;
}

uint64_t counts_restore(const struct counts *counts, uint64_t chunk,
                        uint64_t live[JOURNAL_CHUNK_WORDS])
{
    const struct count *count = find(counts, chunk);
    struct text encoded = {0};
    struct sizes sizes = {0};
    CHECK(count);
    memcpy(live, count->live, sizeof count->live);
    sizes_encode(&count->sizes, live, &encoded);
    CHECK(sizes_decode(text_bytes(&encoded), live, &sizes) == STATUS_OK);
    uint64_t sum = sizes.sum;
    CHECK(sum == count->sizes.sum);
    sizes_clear(&sizes);
    text_free(&encoded);
    return sum;
}
