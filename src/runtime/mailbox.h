/* Mailboxes and outboxes: the way of letters between loops. Only for src/runtime.
 *
 * Thread: a mailbox may be put into by any thread and is emptied by its receiver; outboxes belong
 * to the sending thread. */
#ifndef LEVERET_RUNTIME_MAILBOX_H
#define LEVERET_RUNTIME_MAILBOX_H

#include <pthread.h>
#include <stdatomic.h>

#include "leveret/runtime/loop.h"

/* Letters one behind the other. */
struct letters {
    uint8_t *at;
    size_t used_bytes, room_bytes;
    size_t count;
};

struct mailbox {
    pthread_mutex_t lock;
    struct letters waiting; /* under lock */
    bool asleep;            /* under lock: the receiver must be woken */
    int wake_fd;            /* an eventfd; the loop's */
    atomic_uint wakers;     /* senders that are about to write to wake_fd */
    struct letters reading; /* the receiver's */
    atomic_size_t depth;    /* waiting and reading */
};

void mailbox_init(struct mailbox *mailbox, int wake_fd);
/* No letters may be left. */
void mailbox_clear(struct mailbox *mailbox);

/* Hands one letter over at once. */
void mailbox_put(struct mailbox *mailbox, letter_handler *handle, const void *letter, size_t bytes);
/* Handles what waits now, not what comes meanwhile; receiver is passed to the handlers. Returns
 * whether there was anything. */
bool mailbox_receive(struct mailbox *mailbox, struct loop *receiver);
/* Whether the receiver may sleep: from then on the first letter wakes it. False: letters wait. */
bool mailbox_sleep(struct mailbox *mailbox);
/* The receiver is awake. */
void mailbox_awake(struct mailbox *mailbox);

/* What one sender has for others: an outbox for each mailbox that it ever wrote to. */
struct outbox {
    struct mailbox *to;
    struct letters letters;
    struct outbox *next_dirty;
};

struct outboxes {
    struct outbox **places; /* open addressing by the mailbox's address */
    size_t mask, count;
    struct outbox *dirty; /* those that hold letters */
    struct outbox *last;  /* the one last used */
};

/* No outboxes at all is all zeros. */
void outboxes_clear(struct outboxes *outboxes);
void outboxes_add(struct outboxes *outboxes, struct mailbox *to, letter_handler *handle,
                  const void *letter, size_t bytes);
/* Hands all over: one lock for each receiver, one wake-up for each that sleeps. */
void outboxes_flush(struct outboxes *outboxes);

#endif
