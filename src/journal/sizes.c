/* See sizes.h. */
#include "journal/sizes.h"

#include "journal/slots.h"
#include "leveret/base/mem.h"

#define ROOM_MIN     16u /* slots that each covers at first */
#define NUMBER_BYTES 5u  /* bytes of the longest encoding of a size */

enum { SIZES_SAME, SIZES_EACH };

void sizes_clear(struct sizes *sizes)
{
    free(sizes->each);
    *sizes = (struct sizes){0};
}

/* Makes each cover the slot. The slots that it covers newly keep their sizes. */
static void cover(struct sizes *sizes, unsigned slot)
{
    unsigned first = sizes->each && sizes->first < slot ? sizes->first : slot;
    unsigned end = sizes->each && sizes->first + sizes->room > slot + 1u
                       ? sizes->first + sizes->room
                       : slot + 1u;
    unsigned room = sizes->room ? sizes->room : ROOM_MIN;
    while (room < end - first)
        room *= 2;
    if (room > JOURNAL_CHUNK_SLOTS - first)
        room = JOURNAL_CHUNK_SLOTS - first;
    uint32_t *each = mem_need_array(NULL, room, sizeof *each);
    for (unsigned i = 0; i < room; i++)
        each[i] = (uint32_t)sizes_of(sizes, first + i);
    free(sizes->each);
    sizes->each = each;
    sizes->first = (uint16_t)first;
    sizes->room = (uint16_t)room;
}

void sizes_add_other(struct sizes *sizes, unsigned slot, uint32_t bytes)
{
    CHECK(slot < JOURNAL_CHUNK_SLOTS);
    if (!sizes->each || slot < sizes->first || slot - sizes->first >= sizes->room)
        cover(sizes, slot);
    sizes->each[slot - sizes->first] = bytes;
}

static uint8_t *put_number(uint8_t *at, uint32_t number)
{
    for (; number >= 0x80; number >>= 7)
        *at++ = (uint8_t)(number | 0x80);
    *at++ = (uint8_t)number;
    return at;
}

static bool take_number(struct bytes *rest, uint32_t *out)
{
    uint64_t number = 0;
    for (unsigned i = 0; i < NUMBER_BYTES && i < rest->len; i++) {
        number |= (uint64_t)(rest->at[i] & 0x7f) << (7 * i);
        if (rest->at[i] & 0x80)
            continue;
        rest->at += i + 1;
        rest->len -= i + 1;
        *out = (uint32_t)number;
        return number <= UINT32_MAX;
    }
    return false;
}

void sizes_encode(const struct sizes *sizes, const uint64_t live[JOURNAL_CHUNK_WORDS],
                  struct text *out)
{
    uint8_t *begin = text_reserve(out, 1 + NUMBER_BYTES * ((size_t)sizes->count + 1)), *at = begin;
    *at++ = sizes->each ? SIZES_EACH : SIZES_SAME;
    if (!sizes->each)
        at = put_number(at, sizes->same);
    for (unsigned slot = slots_next(live, 0); sizes->each && slot < JOURNAL_CHUNK_SLOTS;
         slot = slots_next(live, slot + 1))
        at = put_number(at, (uint32_t)sizes_of(sizes, slot));
    CHECK((size_t)(at - begin) <= 1 + NUMBER_BYTES * ((size_t)sizes->count + 1));
    out->len += (size_t)(at - begin);
}

enum status sizes_decode(struct bytes encoded, const uint64_t live[JOURNAL_CHUNK_WORDS],
                         struct sizes *out)
{
    uint32_t size = 0;
    bool good = encoded.len > 0 && encoded.at[0] <= SIZES_EACH;
    bool each = good && encoded.at[0] == SIZES_EACH;
    if (good) {
        encoded.at++;
        encoded.len--;
    }
    if (good && !each)
        good = take_number(&encoded, &size);
    for (unsigned slot = slots_next(live, 0); good && slot < JOURNAL_CHUNK_SLOTS;
         slot = slots_next(live, slot + 1)) {
        if (each)
            good = take_number(&encoded, &size);
        if (good)
            sizes_add(out, slot, size);
    }
    if (good && encoded.len == 0)
        return STATUS_OK;
    sizes_clear(out);
    return STATUS_CORRUPT;
}
