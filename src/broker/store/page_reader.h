/* A page reader: it shows the messages of one chunk after the other, and takes none. Where the
 * messages of a chunk are not in memory it has them read, and keeps them for itself: the chunk
 * stays where it is, so that what consumers use stays in memory. Thread: the vhost's owner.
 *
 * Normal course: page_reader_open; page_reader_turn goes to a chunk and says whether its messages
 * can be looked at, with page_reader_message; if they have to be read first, options.wake is called
 * when they are there; page_reader_close.
 *
 * What can go wrong: the page is damaged: page_reader_turn says so. The lane is cleared meanwhile:
 * wake is called, and page_reader_turn finds no chunk. */
#ifndef BROKER_PAGE_READER_H
#define BROKER_PAGE_READER_H

#include "broker/store/store.h"

struct page_reader {
    struct store *store;
    TAILQ_ENTRY(page_reader) link; /* in store.page_readers */
    /* Called when the chunk that page_reader_turn went to can be looked at, is damaged, or is gone.
     * It may close the reader, and may do no more work than a call into the core may. */
    void (*wake)(struct page_reader *reader);
    void *context;               /* the user's */
    struct journal_lane *handle; /* of the lane whose chunk it holds or waits for; NULL: none */
    uint64_t number;             /* that chunk */
    bool waiting;                /* true: the journal has been asked for it */
    bool damaged;                /* true: its page is */
    bool due;                    /* true: wake is to be called */
    size_t count;                /* the messages of the chunk that it holds, by seq */
    struct journal_entry entries[JOURNAL_CHUNK_SLOTS];
};

enum page_turn {
    PAGE_HERE,    /* the messages can be looked at until the call into the core ends */
    PAGE_COMES,   /* wake will be called */
    PAGE_DAMAGED, /* some of them cannot be read */
};

/* Makes a reader. Never NULL. */
struct page_reader *page_reader_open(struct store *store, void (*wake)(struct page_reader *reader),
                                     void *context);
/* Frees it and nulls the pointer; wake is not called any more. */
void page_reader_close(struct page_reader **reader);

/* Goes to a chunk. What the reader held of another chunk is dropped. */
enum page_turn page_reader_turn(struct page_reader *reader, struct chunk *chunk);
/* The message in a live slot of the chunk that page_reader_turn found PAGE_HERE, and when it
 * expires (0: never). The reference belongs to the chunk or to the reader. NULL: the message came
 * into the chunk after its page had been asked for. */
struct message *page_reader_message(const struct page_reader *reader, struct place place,
                                    uint64_t *expires_ms);

/* Asks for another call of wake, soon: for a user that has more to do than one call may do. */
void page_reader_again(struct page_reader *reader);

/* ---- For paging.c and lane.c. Both are cheap when there is no reader. */

/* A page has been read: readers that wait for it take references of its messages. */
void page_readers_take(struct store *store, const struct journal_page *page);
/* The lane drops its handle. */
void page_readers_forget(struct store *store, const struct journal_lane *handle);

/* ---- For the end of a call (vhost/turn.c). */

/* Wakes the readers that wait no more. */
void page_readers_wake(struct store *store);

#endif
