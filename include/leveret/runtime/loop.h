/* An event loop: one thread's file descriptors, timers and mailbox. The one user of libevent's
 * loop.
 *
 * Thread: the loop's own; loop_post, loop_stop and the functions that say so: any. */
#ifndef LEVERET_RUNTIME_LOOP_H
#define LEVERET_RUNTIME_LOOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "leveret/base/status.h"

struct loop;

/* Errors: NO_MEMORY, IO (the kernel gives no epoll or eventfd). */
MUST_USE enum status loop_new(struct loop **out);
void loop_free(
    struct loop **loop); /* not from inside loop_run; all watches and timers must be freed before */

/* Runs until loop_stop, on the calling thread, which is the loop's own from then on. */
void loop_run(struct loop *loop);
void loop_stop(struct loop *loop); /* any thread; loop_run then returns at the end of its turn */

/* The loop that runs on this thread, or NULL. */
struct loop *loop_current(void);

/* The time, read once a turn and therefore cheap: steady milliseconds, and milliseconds
 * since 1970. */
uint64_t loop_now_ms(const struct loop *loop);
uint64_t loop_wall_ms(const struct loop *loop);
/* Both at once. */
struct loop_time {
    uint64_t steady_ms, wall_ms;
};
struct loop_time loop_time(const struct loop *loop);

/* ---- Watching a file descriptor. Level-triggered. */
struct watch;
enum watch_events { WATCH_NONE = 0, WATCH_READ = 1, WATCH_WRITE = 2 };
/* Never returns NULL. The caller still owns fd. called() runs on the loop. */
struct watch *watch_new(struct loop *loop, int fd,
                        void (*called)(void *context, enum watch_events what), void *context);
void watch_set(struct watch *watch, enum watch_events wanted); /* cheap when nothing changes */
void watch_free(struct watch **watch);                         /* also from inside its callback */

/* ---- Timers. */
struct timer;
struct timer *timer_new(struct loop *loop, void (*called)(void *context), void *context);
/* Calls back once, in ms milliseconds (never in this turn, even for 0), instead of at an earlier
 * set time. Setting a timer to a later time again and again is cheap. */
void timer_set(struct timer *timer, uint64_t ms);
void timer_clear(struct timer *timer);
void timer_free(struct timer **timer);

/* ---- At the end of this turn, once, after all callbacks: for flushing and for freeing what
 * callbacks may still see. A task is embedded in the caller's structure (zeroed at first);
 * scheduling it twice in a turn is once; it may be scheduled from within a task and then runs in
 * the same turn (in the next one when tasks make each other without end). */
struct loop_task {
    void (*run)(struct loop_task *task);
    struct loop_task *next, *prev; /* used by the loop */
    bool scheduled;
};
/* Tasks run by phase, in this order; within a phase in the order in which they were scheduled. */
enum loop_phase {
    PHASE_APPLY,  /* work that produces output */
    PHASE_COMMIT, /* hand batches to the journal */
    PHASE_WRITE,  /* write sockets */
    PHASE_FREE,   /* free what has been closed */
    PHASE_COUNT
};
void loop_at_end(struct loop *loop, enum loop_phase phase, struct loop_task *task);
/* A task that is scheduled must be cancelled before its memory is freed. */
void loop_task_cancel(struct loop *loop, struct loop_task *task);

/* ---- The mailbox: the way between threads. Letters from one sender to one receiver arrive in
 * order.
 *
 * loop_post copies the letter's bytes (at most LETTER_BYTES_MAX) into the sender's outbox; outboxes
 * are handed over at the end of the sender's turn, many letters to one wake-up. A thread without a
 * loop hands over at once. handle() runs on the receiver in PHASE_APPLY order, its view of the
 * letter lasting for the call. Bound: see loop_backlogged; loop_post itself never fails nor blocks.
 * Letters that nobody received when the loop is freed are handed to their handler with a NULL loop
 * so that they can give back what they hold. */
#define LETTER_BYTES_MAX 256u
typedef void letter_handler(struct loop *receiver, void *letter, size_t bytes);
void loop_post(struct loop *receiver, letter_handler *handle, const void *letter, size_t bytes);

/* True when the receiver has more than 64 K letters waiting: the sender should stop taking in work
 * for it (stop reading the sockets concerned) and ask again with a timer. Thread: any. */
bool loop_backlogged(const struct loop *receiver);
/* The number of letters that wait now: for metrics. Thread: any. */
size_t loop_mailbox_depth(const struct loop *receiver);

#endif
