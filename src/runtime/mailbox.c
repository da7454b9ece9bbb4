/* Letters between loops.
 *
 * Normal course: loop_post copies a letter into the sender's outbox for that receiver; at the end
 * of the sender's turn the outbox is handed over under the receiver's lock. An empty mailbox takes
 * the outbox's memory in exchange for its own and nothing is copied. The receiver takes all that
 * waits by the same exchange and handles it without the lock. A receiver that is awake is not
 * woken: before it sleeps it looks for letters and marks itself asleep, both under the lock. What
 * can go wrong: a receiver that is slower than its senders. The mailbox grows; senders ask
 * loop_backlogged and stop taking in work. A mailbox that was emptied frees memory above
 * KEEP_BYTES_MAX. */
#include "mailbox.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "leveret/base/check.h"
#include "leveret/base/mem.h"

/* Bytes of memory for letters: what the first one allocates, what an empty mailbox or outbox
 * keeps at most, and with how many an outbox is handed over at once, not at the end of the turn. */
#define FIRST_ROOM_BYTES 4096u
#define KEEP_BYTES_MAX   (256ul * 1024)
#define HANDOVER_BYTES                                                                             \
    (32ul *                                                                                        \
     1024) /* an outbox with this many bytes is handed over at once, not at the end of the turn */
#define FIRST_OUTBOXES 8u

/* Stands before each letter. It has 16 bytes and letters are padded to a multiple of that, so that
 * each is aligned. */
struct letter_head {
    letter_handler *handle;
    size_t bytes;
};

static size_t letter_room(size_t bytes)
{
    return sizeof(struct letter_head) + ((bytes + 15) & ~(size_t)15);
}

static void letters_reserve(struct letters *letters, size_t bytes)
{
    if (letters->used_bytes + bytes <= letters->room_bytes)
        return;
    size_t room = letters->room_bytes ? letters->room_bytes : FIRST_ROOM_BYTES;
    while (room < letters->used_bytes + bytes)
        room *= 2;
    letters->at = mem_need_array(letters->at, room, 1);
    letters->room_bytes = room;
}

static void letters_add(struct letters *letters, letter_handler *handle, const void *letter,
                        size_t bytes)
{
    CHECK(bytes <= LETTER_BYTES_MAX);
    letters_reserve(letters, letter_room(bytes));
    struct letter_head head = {handle, bytes};
    uint8_t *at = letters->at + letters->used_bytes;
    memcpy(at, &head, sizeof head);
    if (bytes)
        memcpy(at + sizeof head, letter, bytes);
    letters->used_bytes += letter_room(bytes);
    letters->count++;
}

/* Appends the letters of `from` to those of `to`. */
static void letters_move(struct letters *to, struct letters *from)
{
    if (!to->count) {
        struct letters empty = *to;
        *to = *from;
        *from = empty;
        return;
    }
    letters_reserve(to, from->used_bytes);
    memcpy(to->at + to->used_bytes, from->at, from->used_bytes);
    to->used_bytes += from->used_bytes;
    to->count += from->count;
    from->used_bytes = from->count = 0;
}

static void letters_free(struct letters *letters)
{
    free(letters->at);
    *letters = (struct letters){0};
}

void mailbox_init(struct mailbox *mailbox, int wake_fd)
{
    *mailbox = (struct mailbox){.wake_fd = wake_fd};
    CHECK(pthread_mutex_init(&mailbox->lock, NULL) == 0);
    atomic_init(&mailbox->depth, 0);
    atomic_init(&mailbox->wakers, 0);
}

void mailbox_clear(struct mailbox *mailbox)
{
    CHECK(!mailbox->waiting.count && !mailbox->reading.count);
    while (atomic_load_explicit(&mailbox->wakers, memory_order_acquire))
        sched_yield(); /* wait for a sender that has put in its last letter and is about to write to
                          wake_fd */
    letters_free(&mailbox->waiting);
    letters_free(&mailbox->reading);
    CHECK(pthread_mutex_destroy(&mailbox->lock) == 0);
}

static void wake(int wake_fd)
{
    uint64_t one = 1;
    ssize_t n;
    do
        n = write(wake_fd, &one, sizeof one);
    while (n < 0 && errno == EINTR);
    /* Writing to an eventfd fails only when its counter overflows, after 2^64 wake-ups. */
    CHECK(n == (ssize_t)sizeof one);
}

/* Unlocks after letters were added, and then wakes a receiver that sleeps. Waking it under the lock
 * would be slower: it takes the lock at once, often on this processor, and would have to sleep
 * again. `wakers` keeps the mailbox from being freed meanwhile. */
static void handed_over(struct mailbox *mailbox, size_t count)
{
    bool asleep = mailbox->asleep;
    mailbox->asleep = false;
    atomic_fetch_add_explicit(&mailbox->depth, count, memory_order_relaxed);
    if (asleep)
        atomic_fetch_add_explicit(&mailbox->wakers, 1, memory_order_relaxed);
    CHECK(pthread_mutex_unlock(&mailbox->lock) == 0);
    if (!asleep)
        return;
    wake(mailbox->wake_fd);
    atomic_fetch_sub_explicit(&mailbox->wakers, 1, memory_order_release);
}

void mailbox_put(struct mailbox *mailbox, letter_handler *handle, const void *letter, size_t bytes)
{
    CHECK(pthread_mutex_lock(&mailbox->lock) == 0);
    letters_add(&mailbox->waiting, handle, letter, bytes);
    handed_over(mailbox, 1);
}

bool mailbox_receive(struct mailbox *mailbox, struct loop *receiver)
{
    if (atomic_load_explicit(&mailbox->depth, memory_order_relaxed) == 0)
        return false; /* mailbox_sleep looks under the lock and sees a letter that arrives now */
    struct letters *letters = &mailbox->reading;
    CHECK(letters->count == 0); /* a handler must not call this */
    CHECK(pthread_mutex_lock(&mailbox->lock) == 0);
    letters_move(letters, &mailbox->waiting);
    CHECK(pthread_mutex_unlock(&mailbox->lock) == 0);
    size_t count = letters->count;
    for (size_t at = 0; at < letters->used_bytes;) {
        struct letter_head head;
        memcpy(&head, letters->at + at, sizeof head);
        head.handle(receiver, letters->at + at + sizeof head, head.bytes);
        at += letter_room(head.bytes);
    }
    letters->used_bytes = letters->count = 0;
    if (letters->room_bytes > KEEP_BYTES_MAX)
        letters_free(letters);
    atomic_fetch_sub_explicit(&mailbox->depth, count, memory_order_relaxed);
    return count > 0;
}

bool mailbox_sleep(struct mailbox *mailbox)
{
    CHECK(pthread_mutex_lock(&mailbox->lock) == 0);
    bool may = mailbox->waiting.count == 0;
    mailbox->asleep = may;
    CHECK(pthread_mutex_unlock(&mailbox->lock) == 0);
    return may;
}

void mailbox_awake(struct mailbox *mailbox)
{
    CHECK(pthread_mutex_lock(&mailbox->lock) == 0);
    mailbox->asleep = false;
    CHECK(pthread_mutex_unlock(&mailbox->lock) == 0);
}

static size_t place_of(const struct outboxes *outboxes, const struct mailbox *to)
{
    size_t place = ((uintptr_t)to >> 6) * 0x9E3779B1u & outboxes->mask;
    while (outboxes->places[place] && outboxes->places[place]->to != to)
        place = (place + 1) & outboxes->mask;
    return place;
}

static void outboxes_grow(struct outboxes *outboxes)
{
    struct outboxes old = *outboxes;
    size_t room = old.places ? (old.mask + 1) * 2 : FIRST_OUTBOXES;
    outboxes->places = mem_need(room * sizeof *outboxes->places);
    outboxes->mask = room - 1;
    for (size_t i = 0; old.places && i <= old.mask; i++)
        if (old.places[i])
            outboxes->places[place_of(outboxes, old.places[i]->to)] = old.places[i];
    free(old.places);
}

static struct outbox *outbox_for(struct outboxes *outboxes, struct mailbox *to)
{
    if (outboxes->last && outboxes->last->to == to)
        return outboxes->last;
    if (!outboxes->places || outboxes->count * 2 > outboxes->mask)
        outboxes_grow(outboxes);
    size_t place = place_of(outboxes, to);
    if (!outboxes->places[place]) {
        outboxes->places[place] = mem_need(sizeof(struct outbox));
        outboxes->places[place]->to = to;
        outboxes->count++;
    }
    outboxes->last = outboxes->places[place];
    return outboxes->last;
}

static void outbox_flush(struct outbox *outbox)
{
    struct mailbox *to = outbox->to;
    size_t count = outbox->letters.count;
    if (!count)
        return;
    CHECK(pthread_mutex_lock(&to->lock) == 0);
    letters_move(&to->waiting, &outbox->letters);
    handed_over(to, count);
    if (outbox->letters.room_bytes > KEEP_BYTES_MAX)
        letters_free(&outbox->letters);
}

void outboxes_add(struct outboxes *outboxes, struct mailbox *to, letter_handler *handle,
                  const void *letter, size_t bytes)
{
    struct outbox *outbox = outbox_for(outboxes, to);
    if (!outbox->letters.count && !outbox->next_dirty) {
        /* The last outbox of the list points to itself, so that next_dirty is NULL only for
         * outboxes that are not on it. */
        outbox->next_dirty = outboxes->dirty ? outboxes->dirty : outbox;
        outboxes->dirty = outbox;
    }
    letters_add(&outbox->letters, handle, letter, bytes);
    if (outbox->letters.used_bytes >= HANDOVER_BYTES)
        outbox_flush(outbox);
}

void outboxes_flush(struct outboxes *outboxes)
{
    struct outbox *outbox = outboxes->dirty;
    outboxes->dirty = NULL;
    while (outbox) {
        struct outbox *next = outbox->next_dirty == outbox ? NULL : outbox->next_dirty;
        outbox->next_dirty = NULL;
        outbox_flush(outbox);
        outbox = next;
    }
}

void outboxes_clear(struct outboxes *outboxes)
{
    outboxes_flush(outboxes);
    for (size_t i = 0; outboxes->places && i <= outboxes->mask; i++)
        if (outboxes->places[i]) {
            letters_free(&outboxes->places[i]->letters);
            free(outboxes->places[i]);
        }
    free(outboxes->places);
    *outboxes = (struct outboxes){0};
}
