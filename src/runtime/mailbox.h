/* Mailboxes and outboxes, which carry letters between loops. Only for src/runtime.
 *
 * Thread: any thread may put letters into a mailbox, its receiver's thread takes them out; outboxes
 * belong to the sending thread. */
#ifndef LEVERET_RUNTIME_MAILBOX_H
#define LEVERET_RUNTIME_MAILBOX_H

#include <pthread.h>
#include <stdatomic.h>

#include "leveret/runtime/loop.h"

/* Letters in one block of memory, one behind the other. */
struct letters {
    uint8_t *at;
    size_t used_bytes, room_bytes;
    size_t count;
};

struct mailbox {
    pthread_mutex_t lock;
    struct letters waiting; /* guarded by lock */
    bool asleep;            /* guarded by lock; true when the receiver must be woken */
    int wake_fd;            /* an eventfd that the loop owns */
    atomic_uint wakers;     /* senders that are about to write to wake_fd */
    struct letters reading; /* used by the receiver only */
    atomic_size_t depth;    /* number of letters in waiting and reading */
};

void mailbox_init(struct mailbox *mailbox, int wake_fd);
/* Frees the mailbox's memory, in which no letters may be left. */
void mailbox_clear(struct mailbox *mailbox);

/* Puts one letter in at once, without an outbox. */
void mailbox_put(struct mailbox *mailbox, letter_handler *handle, const void *letter, size_t bytes);
/* Handles the letters that wait now, not those that arrive meanwhile; receiver is passed to the
 * handlers. Returns whether there were any. */
bool mailbox_receive(struct mailbox *mailbox, struct loop *receiver);
/* Returns true when the receiver may sleep, and the next letter will wake it; false when letters
 * wait. */
bool mailbox_sleep(struct mailbox *mailbox);
/* Notes that the receiver is awake, so that letters need not wake it. */
void mailbox_awake(struct mailbox *mailbox);

/* One sender's letters to one receiver; a sender has an outbox for each mailbox that it ever wrote
 * to. */
struct outbox {
    struct mailbox *to;
    struct letters letters;
    struct outbox *next_dirty;
};

struct outboxes {
    struct outbox **places; /* open addressing by the mailbox's address */
    size_t mask, count;
    struct outbox *dirty; /* list of outboxes that hold letters */
    struct outbox *last;  /* the outbox that was used last */
};

/* All zeros when there are none. */
void outboxes_clear(struct outboxes *outboxes);
void outboxes_add(struct outboxes *outboxes, struct mailbox *to, letter_handler *handle,
                  const void *letter, size_t bytes);
/* Hands over all letters: takes one lock for each receiver, and wakes those that sleep. */
void outboxes_flush(struct outboxes *outboxes);

#endif
