/* The loop: libevent's event base, run one turn at a time, with timers, letters and tasks of our
 * own around it.
 *
 * Normal course of a turn: sleep until something happens (not at all when letters or tasks wait) →
 * callbacks of watches → due timers → letters → tasks by phase → outboxes handed over. Timers lie
 * in a heap of ours and libevent knows one timer, the earliest: setting a timer to a later time
 * costs only a store, since the timer moves in the heap only when its old time comes. What can go
 * wrong: a callback for a watch that was freed in the same turn. libevent has removed it by then;
 * its memory still stays until PHASE_FREE, with a magic number that marks it as dead. */
#include "leveret/runtime/loop.h"

#include <errno.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "leveret/base/check.h"
#include "leveret/base/clock.h"
#include "leveret/base/container.h"
#include "leveret/base/heap.h"
#include "leveret/base/mem.h"
#include "loop_internal.h"
#include "mailbox.h"
#include "task.h"

/* With more letters than this a mailbox counts as backlogged (loop_backlogged); letters are
 * never refused. */
#define BACKLOG_LETTERS 65536u
#define NEVER           UINT64_MAX
/* Longest time of libevent's timer; it is set again after it. */
#define SLEEP_MS_MAX (UINT64_C(24) * 3600 * 1000)
#define WATCH_MAGIC  0x57A7C4EDu
#define WATCH_DEAD   0xDEADDEADu

struct loop {
    struct event_base *base;
    int wake_fd;
    struct event wake;
    struct event alarm; /* libevent's timer for the earliest of ours */
    uint64_t alarm_at;  /* steady ms; NEVER: not set */
    struct heap timers; /* by the time at which they are looked at */
    uint64_t now_ms, wall_ms;
    bool now_known; /* true once this turn's time has been read */
    bool running;
    bool tasks_left;
    atomic_bool stop;
    size_t watches, timer_count;
    struct tasks tasks;
    struct mailbox mailbox;
    struct outboxes outboxes;
};

struct watch {
    uint32_t magic;
    unsigned wanted;
    struct loop *loop;
    int fd;
    void (*called)(void *context, enum watch_events what);
    void *context;
    struct event read;
    struct event *write; /* NULL until it is needed, which is never for most watches */
    struct loop_task free_task;
};

struct timer {
    struct heap_node
        node; /* its key is the time at which the timer is looked at, never later than due_ms */
    uint64_t due_ms; /* NEVER: not set */
    struct loop *loop;
    void (*called)(void *context);
    void *context;
};

static _Thread_local struct loop *current_loop;

/* ---- Time */

static void read_clock(struct loop *loop)
{
    loop->now_ms = clock_steady_ms();
    loop->wall_ms = clock_wall_ms();
    loop->now_known = true;
}

/* After sleeping the cached time is old; the first call of a turn reads the clock. */
uint64_t loop_now_ms(const struct loop *loop)
{
    if (!loop->now_known || !loop->running)
        read_clock((struct loop *)(uintptr_t)loop);
    return loop->now_ms;
}

uint64_t loop_wall_ms(const struct loop *loop)
{
    if (!loop->now_known || !loop->running)
        read_clock((struct loop *)(uintptr_t)loop);
    return loop->wall_ms;
}

struct loop_time loop_time(const struct loop *loop)
{
    if (!loop->now_known || !loop->running)
        read_clock((struct loop *)(uintptr_t)loop);
    return (struct loop_time){loop->now_ms, loop->wall_ms};
}

/* ---- Making and freeing */

static void on_wake(evutil_socket_t fd, short what, void *context)
{
    /* The eventfd is edge-triggered, so it need not be read: its only purpose was to wake
     * the loop. */
    (void)fd, (void)what, (void)context;
}

static void on_alarm(evutil_socket_t fd, short what, void *context)
{
    /* run_timers follows in this turn. libevent's clock is coarse: it may be a little early. */
    struct loop *loop = context;
    (void)fd, (void)what;
    loop->alarm_at = NEVER;
}

static struct event_base *new_base(void)
{
    struct event_config *config = event_config_new();
    if (!config)
        return NULL;
    struct event_base *base = NULL;
    if (event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK | EVENT_BASE_FLAG_IGNORE_ENV) == 0 &&
        event_config_require_features(config, EV_FEATURE_ET | EV_FEATURE_O1) == 0)
        base = event_base_new_with_config(config);
    event_config_free(config);
    return base;
}

enum status loop_new(struct loop **out)
{
    struct loop *loop = mem_need(sizeof *loop);
    loop->alarm_at = NEVER;
    atomic_init(&loop->stop, false);
    tasks_init(&loop->tasks);
    loop->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (loop->wake_fd < 0)
        goto no_eventfd;
    loop->base = new_base();
    if (!loop->base)
        goto no_base;
    if (event_assign(&loop->wake, loop->base, loop->wake_fd, EV_READ | EV_ET | EV_PERSIST, on_wake,
                     NULL) != 0 ||
        event_add(&loop->wake, NULL) != 0)
        goto no_wake;
    CHECK(evtimer_assign(&loop->alarm, loop->base, on_alarm, loop) == 0);
    mailbox_init(&loop->mailbox, loop->wake_fd);
    *out = loop;
    return STATUS_OK;

no_wake:
    event_base_free(loop->base);
no_base:
    close(loop->wake_fd);
no_eventfd:
    free(loop);
    *out = NULL;
    return STATUS_IO;
}

/* Gives letters that were not received back to their handlers, and runs the tasks that these
 * schedule. */
bool loop_drain(struct loop *loop)
{
    outboxes_flush(&loop->outboxes);
    bool any = mailbox_receive(&loop->mailbox, NULL);
    if (tasks_waiting(&loop->tasks)) {
        any = true;
        (void)tasks_run(&loop->tasks);
    }
    return any;
}

void loop_free(struct loop **loop)
{
    struct loop *l = *loop;
    *loop = NULL;
    if (!l)
        return;
    CHECK(!l->running);
    while (loop_drain(l))
        ;
    CHECK(l->watches == 0 && l->timer_count == 0);
    outboxes_clear(&l->outboxes);
    mailbox_clear(&l->mailbox);
    event_del(&l->wake);
    event_del(&l->alarm);
    event_base_free(l->base);
    close(l->wake_fd);
    heap_free(&l->timers);
    free(l);
}

/* ---- Turning */

static struct timer *timer_of(struct heap_node *node)
{
    return container_of(node, struct timer, node);
}

/* Sets libevent's timer to the earliest of ours. */
static void set_alarm(struct loop *loop)
{
    struct heap_node *first = heap_first(&loop->timers);
    if (!first || loop->alarm_at <= first->key)
        return;
    uint64_t now = loop_now_ms(loop);
    uint64_t ms = first->key > now ? first->key - now : 0;
    if (ms > SLEEP_MS_MAX)
        ms = SLEEP_MS_MAX;
    struct timeval tv = {(time_t)(ms / 1000), (suseconds_t)(ms % 1000 * 1000)};
    CHECK(evtimer_add(&loop->alarm, &tv) == 0);
    loop->alarm_at = now + ms;
}

static void run_timers(struct loop *loop)
{
    struct heap_node *first = heap_first(&loop->timers);
    if (!first)
        return;
    uint64_t now = loop_now_ms(loop);
    while (first && first->key <= now) {
        struct timer *timer = timer_of(first);
        if (timer->due_ms == NEVER) {
            heap_remove(&loop->timers, first);
        } else if (timer->due_ms > now) {
            heap_set(&loop->timers, first, timer->due_ms);
        } else {
            heap_remove(&loop->timers, first);
            timer->due_ms = NEVER;
            timer->called(timer->context); /* may free the timer */
        }
        first = heap_first(&loop->timers);
    }
}

static void turn(struct loop *loop)
{
    set_alarm(loop);
    int flags = EVLOOP_ONCE;
    bool sleeps = !loop->tasks_left && !tasks_waiting(&loop->tasks) &&
                  !atomic_load_explicit(&loop->stop, memory_order_acquire) &&
                  mailbox_sleep(&loop->mailbox);
    if (!sleeps)
        flags |= EVLOOP_NONBLOCK;
    loop->now_known = false;
    CHECK(event_base_loop(loop->base, flags) >= 0);
    if (sleeps)
        mailbox_awake(&loop->mailbox);
    run_timers(loop);
    mailbox_receive(&loop->mailbox, loop);
    loop->tasks_left = tasks_run(&loop->tasks);
    outboxes_flush(&loop->outboxes);
}

void loop_run(struct loop *loop)
{
    CHECK(!current_loop && !loop->running);
    current_loop = loop;
    loop->running = true;
    do
        turn(loop);
    while (!atomic_load_explicit(&loop->stop, memory_order_acquire));
    atomic_store_explicit(&loop->stop, false, memory_order_relaxed);
    loop->running = false;
    current_loop = NULL;
}

void loop_stop(struct loop *loop)
{
    atomic_store_explicit(&loop->stop, true, memory_order_release);
    uint64_t one = 1;
    while (write(loop->wake_fd, &one, sizeof one) < 0 && errno == EINTR)
        ;
}

struct loop *loop_current(void)
{
    return current_loop;
}

void loop_at_end(struct loop *loop, enum loop_phase phase, struct loop_task *task)
{
    tasks_add(&loop->tasks, phase, task);
}

/* ---- Letters */

void loop_post(struct loop *receiver, letter_handler *handle, const void *letter, size_t bytes)
{
    if (current_loop)
        outboxes_add(&current_loop->outboxes, &receiver->mailbox, handle, letter, bytes);
    else
        mailbox_put(&receiver->mailbox, handle, letter, bytes);
}

size_t loop_mailbox_depth(const struct loop *receiver)
{
    return atomic_load_explicit(&receiver->mailbox.depth, memory_order_relaxed);
}

bool loop_backlogged(const struct loop *receiver)
{
    return loop_mailbox_depth(receiver) >= BACKLOG_LETTERS;
}

/* ---- Watches */

static void on_event(evutil_socket_t fd, short what, void *context)
{
    struct watch *watch = context;
    (void)fd;
    if (watch->magic != WATCH_MAGIC)
        return;
    watch->called(watch->context, what & EV_READ ? WATCH_READ : WATCH_WRITE);
}

struct watch *watch_new(struct loop *loop, int fd,
                        void (*called)(void *context, enum watch_events what), void *context)
{
    struct watch *watch = mem_need(sizeof *watch);
    watch->magic = WATCH_MAGIC;
    watch->loop = loop;
    watch->fd = fd;
    watch->called = called;
    watch->context = context;
    CHECK(event_assign(&watch->read, loop->base, fd, EV_READ | EV_PERSIST, on_event, watch) == 0);
    loop->watches++;
    return watch;
}

void watch_set(struct watch *watch, enum watch_events wanted)
{
    CHECK(watch->magic == WATCH_MAGIC);
    unsigned change = watch->wanted ^ (unsigned)wanted;
    if (!change)
        return;
    watch->wanted = (unsigned)wanted;
    if (change & WATCH_READ)
        CHECK((wanted & WATCH_READ ? event_add(&watch->read, NULL) : event_del(&watch->read)) == 0);
    if (!(change & WATCH_WRITE))
        return;
    if (!watch->write) {
        watch->write = mem_need(sizeof *watch->write);
        CHECK(event_assign(watch->write, watch->loop->base, watch->fd, EV_WRITE | EV_PERSIST,
                           on_event, watch) == 0);
    }
    CHECK((wanted & WATCH_WRITE ? event_add(watch->write, NULL) : event_del(watch->write)) == 0);
}

static void free_watch(struct loop_task *task)
{
    struct watch *watch = container_of(task, struct watch, free_task);
    watch->loop->watches--;
    free(watch->write);
    free(watch);
}

void watch_free(struct watch **watch)
{
    struct watch *w = *watch;
    *watch = NULL;
    if (!w)
        return;
    watch_set(w, WATCH_NONE);
    w->magic = WATCH_DEAD;
    w->free_task.run = free_watch;
    if (w->loop->running)
        loop_at_end(w->loop, PHASE_FREE, &w->free_task);
    else
        free_watch(&w->free_task);
}

/* ---- Timers */

struct timer *timer_new(struct loop *loop, void (*called)(void *context), void *context)
{
    struct timer *timer = mem_need(sizeof *timer);
    timer->due_ms = NEVER;
    timer->loop = loop;
    timer->called = called;
    timer->context = context;
    loop->timer_count++;
    return timer;
}

void timer_set(struct timer *timer, uint64_t ms)
{
    uint64_t now = loop_now_ms(timer->loop);
    /* A timer never fires in the turn that sets it: a timer that sets itself to 0 would keep the
     * loop from its sockets. */
    uint64_t due = ms < NEVER - 1 - now ? now + (ms ? ms : 1) : NEVER - 1;
    timer->due_ms = due;
    if (!heap_holds(&timer->node) || timer->node.key > due)
        heap_set(&timer->loop->timers, &timer->node, due);
}

void timer_clear(struct timer *timer)
{
    timer->due_ms = NEVER; /* run_timers removes it from the heap when its time comes */
}

void timer_free(struct timer **timer)
{
    struct timer *t = *timer;
    *timer = NULL;
    if (!t)
        return;
    heap_remove(&t->loop->timers, &t->node);
    t->loop->timer_count--;
    free(t);
}
