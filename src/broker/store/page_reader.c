/* Looking at chunks without bringing them into memory: see page_reader.h. */
#include "broker/store/page_reader.h"

#include <stdlib.h>

#include "leveret/base/mem.h"

struct page_reader *page_reader_open(struct store *store, void (*wake)(struct page_reader *reader),
                                     void *context)
{
    struct page_reader *reader = mem_need(sizeof *reader);
    reader->store = store;
    reader->wake = wake;
    reader->context = context;
    TAILQ_INSERT_TAIL(&store->page_readers, reader, link);
    return reader;
}

static void set_due(struct page_reader *reader, bool due)
{
    reader->store->page_readers_due += due;
    reader->store->page_readers_due -= reader->due;
    reader->due = due;
}

static void drop_page(struct page_reader *reader)
{
    for (size_t i = 0; i < reader->count; i++)
        message_unref(&reader->entries[i].message);
    reader->count = 0;
    reader->handle = NULL;
    reader->waiting = reader->damaged = false;
    set_due(reader, false);
}

void page_reader_close(struct page_reader **reader)
{
    if (!*reader)
        return;
    drop_page(*reader);
    TAILQ_REMOVE(&(*reader)->store->page_readers, *reader, link);
    free(*reader);
    *reader = NULL;
}

static bool is_at(const struct page_reader *reader, const struct journal_lane *handle,
                  uint64_t number)
{
    return handle && reader->handle == handle && reader->number == number;
}

enum page_turn page_reader_turn(struct page_reader *reader, struct chunk *chunk)
{
    struct lane *lane = chunk->lane;
    if (chunk_in_memory(chunk)) {
        drop_page(reader);
        return PAGE_HERE;
    }
    if (is_at(reader, lane->handle, chunk->number) && !reader->waiting)
        return reader->damaged ? PAGE_DAMAGED : PAGE_HERE;
    if (lane->failed)
        return PAGE_DAMAGED;
    if (!is_at(reader, lane->handle, chunk->number)) {
        drop_page(reader);
        reader->handle = lane->handle; /* a chunk that is stored has one */
        reader->number = chunk->number;
        reader->waiting = true;
        if (chunk->state == CHUNK_STORED) /* else the page has been asked for, and is under way */
            journal_page_in(reader->store->journal, reader->handle, chunk->number);
    }
    return PAGE_COMES;
}

struct message *page_reader_message(const struct page_reader *reader, struct place place,
                                    uint64_t *expires_ms)
{
    if (chunk_in_memory(place.chunk)) {
        *expires_ms = chunk_expires(place.chunk, place.slot);
        return chunk_message(place.chunk, place.slot);
    }
    uint64_t seq = place_seq(place);
    size_t low = 0, high = reader->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (reader->entries[middle].seq < seq)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == reader->count || reader->entries[low].seq != seq)
        return NULL;
    *expires_ms = reader->entries[low].expires_ms;
    return reader->entries[low].message;
}

void page_reader_again(struct page_reader *reader)
{
    set_due(reader, true);
}

/* ---- What happens to chunks. */

void page_readers_take(struct store *store, const struct journal_page *page)
{
    struct page_reader *reader;
    TAILQ_FOREACH(reader, &store->page_readers, link)
    {
        if (!reader->waiting || !is_at(reader, page->lane, page->chunk))
            continue;
        reader->waiting = false;
        set_due(reader, true);
        reader->damaged = page->status != STATUS_OK;
        for (size_t i = 0; i < page->count && i < JOURNAL_CHUNK_SLOTS; i++) {
            reader->entries[i] = page->entries[i];
            message_ref(reader->entries[i].message);
            reader->count++;
        }
    }
}

void page_readers_forget(struct store *store, const struct journal_lane *handle)
{
    struct page_reader *reader;
    TAILQ_FOREACH(reader, &store->page_readers, link)
    {
        if (reader->handle != handle)
            continue;
        bool waited = reader->waiting || reader->due;
        drop_page(reader);
        set_due(reader, waited);
    }
}

void page_readers_wake(struct store *store)
{
    struct page_reader *reader, *next;
    for (reader = TAILQ_FIRST(&store->page_readers); reader && store->page_readers_due;
         reader = next) {
        next = TAILQ_NEXT(reader, link); /* waking may close this reader, and no other */
        if (!reader->due)
            continue;
        set_due(reader, false);
        reader->wake(reader);
    }
}
