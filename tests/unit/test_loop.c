/* Tests of runtime/: time, timers, watches, tasks, letters between threads, workers. */
#include <check.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "leveret/base/clock.h"
#include "leveret/runtime/worker.h"

static struct loop *loop;

static void make_loop(void)
{
    ck_assert_int_eq(loop_new(&loop), STATUS_OK);
}

static void drop_loop(void)
{
    loop_free(&loop);
    ck_assert_ptr_null(loop);
}

static void stop_now(void *context)
{
    (void)context;
    loop_stop(loop_current());
}

/* Runs the loop for ms milliseconds. */
static void run_for(uint64_t ms)
{
    struct timer *end = timer_new(loop, stop_now, NULL);
    timer_set(end, ms);
    loop_run(loop);
    timer_free(&end);
}

/* ---- Timers */

/* Runs the loop until *count is as high as that; without end if it never is. */
static void run_until(const int *count, int wanted)
{
    while (*count < wanted)
        run_for(1);
}

static int rung; /* rings of all timers */

struct ring {
    int times;
    int order;
    uint64_t at_ms;
    struct timer *timer;
    uint64_t again_ms;
    bool frees;
};

static void ring(void *context)
{
    struct ring *r = context;
    r->times++;
    r->order = ++rung;
    r->at_ms = loop_now_ms(loop);
    if (r->again_ms)
        timer_set(r->timer, r->again_ms);
    if (r->frees)
        timer_free(&r->timer);
}

START_TEST(test_timer_order)
{
    struct ring a = {0}, b = {0}, c = {0};
    uint64_t start = clock_steady_ms();
    a.timer = timer_new(loop, ring, &a);
    b.timer = timer_new(loop, ring, &b);
    c.timer = timer_new(loop, ring, &c);
    timer_set(a.timer, 40);
    timer_set(b.timer, 10);
    timer_set(c.timer, 100000);
    run_for(80);
    ck_assert_int_eq(a.times, 1);
    ck_assert_int_eq(b.times, 1);
    ck_assert_int_eq(c.times, 0);
    ck_assert_uint_ge(a.at_ms, start + 39);
    ck_assert_uint_ge(b.at_ms, start + 9);
    ck_assert_int_lt(b.order, a.order);
    timer_free(&a.timer);
    timer_free(&b.timer);
    timer_free(&c.timer);
}
END_TEST

START_TEST(test_timer_set_again)
{
    struct ring later = {0}, sooner = {0}, cleared = {0}, revived = {0};
    later.timer = timer_new(loop, ring, &later);
    sooner.timer = timer_new(loop, ring, &sooner);
    cleared.timer = timer_new(loop, ring, &cleared);
    revived.timer = timer_new(loop, ring, &revived);
    uint64_t start = clock_steady_ms();
    timer_set(later.timer, 5);
    timer_set(later.timer, 60);
    timer_set(sooner.timer, 60000);
    timer_set(sooner.timer, 5);
    timer_set(cleared.timer, 5);
    timer_clear(cleared.timer);
    timer_set(revived.timer, 5);
    timer_clear(revived.timer);
    timer_set(revived.timer, 20);
    run_for(100);
    ck_assert_int_eq(later.times, 1);
    ck_assert_uint_ge(later.at_ms, start + 59);
    ck_assert_int_eq(sooner.times, 1); /* not in a minute */
    ck_assert_int_eq(cleared.times, 0);
    ck_assert_int_eq(revived.times, 1);
    timer_free(&later.timer);
    timer_free(&sooner.timer);
    timer_free(&cleared.timer);
    timer_free(&revived.timer);
}
END_TEST

START_TEST(test_timer_in_callback)
{
    struct ring every = {.again_ms = 5}, gone = {.frees = true}, zero = {.again_ms = 0};
    every.timer = timer_new(loop, ring, &every);
    gone.timer = timer_new(loop, ring, &gone);
    zero.timer = timer_new(loop, ring, &zero);
    uint64_t start = clock_steady_ms();
    timer_set(every.timer, 5);
    timer_set(gone.timer, 5);
    timer_set(zero.timer, 0);
    run_until(&every.times, 10);
    ck_assert_uint_ge(every.at_ms, start + 10 * 5 - 1);
    ck_assert_int_eq(gone.times, 1);
    ck_assert_ptr_null(gone.timer);
    ck_assert_int_eq(zero.times, 1);
    timer_free(&every.timer);
    timer_free(&zero.timer);
}
END_TEST

START_TEST(test_timer_many)
{
    enum { COUNT = 5000 };
    struct ring *all = calloc(COUNT, sizeof *all);
    for (int i = 0; i < COUNT; i++) {
        all[i].timer = timer_new(loop, ring, &all[i]);
        timer_set(all[i].timer, (uint64_t)(i * 7919 % 50));
    }
    for (int i = 0; i < COUNT; i += 3)
        timer_free(&all[i].timer);
    run_for(80);
    for (int i = 0; i < COUNT; i++) {
        ck_assert_int_eq(all[i].times, i % 3 != 0);
        timer_free(&all[i].timer);
    }
    free(all);
}
END_TEST

START_TEST(test_timer_far)
{
    struct timer *far = timer_new(loop, stop_now, NULL);
    timer_set(far, UINT64_MAX);
    timer_set(far, UINT64_MAX / 2);
    run_for(5);
    timer_free(&far);
}
END_TEST

/* ---- Watches */

struct seen {
    int fd, reads, writes;
    struct watch *watch;
    bool frees;
};

static void on_fd(void *context, enum watch_events what)
{
    struct seen *seen = context;
    if (what & WATCH_READ) {
        seen->reads++;
        char c;
        ck_assert_int_eq(read(seen->fd, &c, 1), 1);
    }
    if (what & WATCH_WRITE) {
        seen->writes++;
        watch_set(seen->watch, WATCH_READ);
    }
    if (seen->frees)
        watch_free(&seen->watch);
}

START_TEST(test_watch)
{
    int fds[2];
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    struct seen seen = {.fd = fds[0]};
    seen.watch = watch_new(loop, fds[0], on_fd, &seen);
    run_for(5);
    ck_assert_int_eq(seen.reads + seen.writes, 0);

    /* Level-triggered: three bytes, one taken at a time. Writing is wanted until the first call. */
    ck_assert_int_eq(write(fds[1], "abc", 3), 3);
    watch_set(seen.watch, WATCH_READ | WATCH_WRITE);
    run_until(&seen.reads, 3);
    run_for(5);
    ck_assert_int_eq(seen.reads, 3);
    ck_assert_int_eq(seen.writes, 1);

    watch_set(seen.watch, WATCH_NONE);
    ck_assert_int_eq(write(fds[1], "d", 1), 1);
    run_for(5);
    ck_assert_int_eq(seen.reads, 3);
    watch_set(seen.watch, WATCH_WRITE);
    watch_set(seen.watch, WATCH_NONE);
    watch_set(seen.watch, WATCH_READ);
    run_for(5);
    ck_assert_int_eq(seen.reads, 4);

    /* Freed from within its callback while another event of its own is due in the same turn. */
    seen.frees = true;
    ck_assert_int_eq(write(fds[1], "ef", 2), 2);
    watch_set(seen.watch, WATCH_READ | WATCH_WRITE);
    run_for(10);
    ck_assert_ptr_null(seen.watch);
    ck_assert_int_le(seen.reads + seen.writes, 6);
    close(fds[0]);
    close(fds[1]);
}
END_TEST

/* ---- Tasks */

struct job {
    struct loop_task task;
    char name;
    int again; /* how often it schedules next */
    struct job *next;
    enum loop_phase next_phase;
    struct timer *timer;
};

static char trace[256];
static size_t traced;

static void do_job(struct loop_task *task)
{
    struct job *job = (struct job *)task;
    if (traced < sizeof trace - 1) {
        trace[traced++] = job->name;
        trace[traced] = '\0';
    }
    if (job->again-- > 0)
        loop_at_end(loop, job->next_phase, &job->next->task);
}

START_TEST(test_task_order)
{
    struct job a = {.task.run = do_job, .name = 'a'}, b = {.task.run = do_job, .name = 'b'};
    struct job c = {.task.run = do_job, .name = 'c'}, d = {.task.run = do_job, .name = 'd'};
    struct job e = {.task.run = do_job, .name = 'e'}, f = {.task.run = do_job, .name = 'f'};
    traced = 0;
    loop_at_end(loop, PHASE_FREE, &f.task);
    loop_at_end(loop, PHASE_WRITE, &b.task);
    loop_at_end(loop, PHASE_APPLY, &a.task);
    loop_at_end(loop, PHASE_APPLY, &a.task); /* once */
    loop_at_end(loop, PHASE_WRITE, &c.task);
    loop_at_end(loop, PHASE_COMMIT, &e.task);
    loop_task_cancel(loop, &e.task);
    loop_task_cancel(loop, &e.task);
    /* a makes d in its own phase; c makes a again, which comes before nothing but the
     * next sweep. */
    a.again = 1, a.next = &d, a.next_phase = PHASE_APPLY;
    c.again = 1, c.next = &a, c.next_phase = PHASE_APPLY;
    loop_stop(loop);
    loop_run(loop);
    ck_assert_str_eq(trace, "adbcfa");
}
END_TEST

START_TEST(test_task_endless)
{
    /* Two tasks that make each other for ever do not keep the timers from running. */
    struct job a = {.task.run = do_job, .name = 'a'}, b = {.task.run = do_job, .name = 'b'};
    a.again = b.again = 1 << 30;
    a.next = &b, b.next = &a;
    a.next_phase = PHASE_APPLY, b.next_phase = PHASE_WRITE;
    traced = 0;
    loop_at_end(loop, PHASE_WRITE, &a.task);
    run_for(10);
    ck_assert_uint_eq(traced, sizeof trace - 1);
    loop_task_cancel(loop, &a.task);
    loop_task_cancel(loop, &b.task);
}
END_TEST

static struct job cancelled;

static void cancel_other(struct loop_task *task)
{
    (void)task;
    loop_task_cancel(loop, &cancelled.task);
}

START_TEST(test_task_cancel_within)
{
    struct job first = {.task.run = cancel_other};
    cancelled = (struct job){.task.run = do_job, .name = 'x'};
    traced = 0, trace[0] = '\0';
    loop_at_end(loop, PHASE_WRITE, &first.task);
    loop_at_end(loop, PHASE_WRITE, &cancelled.task);
    loop_stop(loop);
    loop_run(loop);
    ck_assert_str_eq(trace, "");
}
END_TEST

/* ---- Letters */

#define SENDERS        3
#define LETTERS        20000
#define LETTERS_IN_ALL (SENDERS * LETTERS)

struct note {
    uint64_t number;
    unsigned sender;
    uint8_t filling[40];
};

static struct {
    uint64_t next[SENDERS];
    size_t received, given_back;
    struct loop *receiver;
    atomic_uint stray;
} post;

static void receive_note(struct loop *receiver, void *letter, size_t bytes)
{
    const struct note *note = letter;
    ck_assert_uint_eq((uintptr_t)letter % 16, 0);
    if (!receiver) {
        post.given_back++;
        return;
    }
    ck_assert_ptr_eq(receiver, post.receiver);
    ck_assert_ptr_eq(loop_current(), receiver);
    ck_assert_uint_eq(bytes, sizeof *note - (note->number % 3));
    ck_assert_uint_eq(note->number, post.next[note->sender]++);
    if (++post.received == LETTERS_IN_ALL)
        loop_stop(receiver);
}

static void send_note(unsigned sender, uint64_t number)
{
    struct note note = {.number = number, .sender = sender};
    loop_post(post.receiver, receive_note, &note, sizeof note - (number % 3));
}

/* A sender with a loop: some letters each turn. */
struct sender {
    struct loop *loop;
    struct timer *timer;
    unsigned index;
    uint64_t sent;
};

static void send_some(void *context)
{
    struct sender *s = context;
    for (int i = 0; i < 997 && s->sent < LETTERS; i++)
        send_note(s->index, s->sent++);
    if (s->sent < LETTERS)
        timer_set(s->timer, 1);
    else
        loop_stop(s->loop);
}

static void *send_with_loop(void *argument)
{
    struct sender *s = argument;
    loop_run(s->loop);
    return NULL;
}

static void *send_without_loop(void *argument)
{
    struct sender *s = argument;
    for (; s->sent < LETTERS; s->sent++)
        send_note(s->index, s->sent);
    return NULL;
}

START_TEST(test_letters_three_senders)
{
    memset(&post, 0, sizeof post);
    post.receiver = loop;
    struct sender senders[SENDERS] = {{0}};
    pthread_t threads[SENDERS];
    for (unsigned i = 0; i < SENDERS; i++) {
        senders[i].index = i;
        if (i > 0) {
            ck_assert_int_eq(loop_new(&senders[i].loop), STATUS_OK);
            senders[i].timer = timer_new(senders[i].loop, send_some, &senders[i]);
            timer_set(senders[i].timer, 1);
        }
        pthread_create(&threads[i], NULL, i ? send_with_loop : send_without_loop, &senders[i]);
    }
    loop_run(loop);
    ck_assert_uint_eq(post.received, LETTERS_IN_ALL);
    for (unsigned i = 0; i < SENDERS; i++) {
        pthread_join(threads[i], NULL);
        timer_free(&senders[i].timer);
        loop_free(&senders[i].loop);
    }
    ck_assert_uint_eq(loop_mailbox_depth(loop), 0);
}
END_TEST

START_TEST(test_letters_backlog)
{
    memset(&post, 0, sizeof post);
    post.receiver = loop;
    ck_assert(!loop_backlogged(loop));
    for (uint64_t i = 0; i < 65536; i++)
        send_note(0, i);
    ck_assert(loop_backlogged(loop));
    ck_assert_uint_eq(loop_mailbox_depth(loop), 65536);
    loop_stop(loop);
    post.received = LETTERS_IN_ALL; /* not to stop by itself */
    loop_run(loop);
    ck_assert_uint_eq(post.next[0], 65536);
    ck_assert(!loop_backlogged(loop));
}
END_TEST

START_TEST(test_letters_given_back)
{
    memset(&post, 0, sizeof post);
    struct loop *short_lived;
    ck_assert_int_eq(loop_new(&short_lived), STATUS_OK);
    post.receiver = short_lived;
    for (uint64_t i = 0; i < 100; i++)
        send_note(0, i);
    loop_free(&short_lived);
    ck_assert_uint_eq(post.given_back, 100);
}
END_TEST

/* Letters of a loop to itself: they come in a later turn, and the loop does not sleep over them. */
static void echo_to_self(struct loop *receiver, void *letter, size_t bytes)
{
    unsigned left = *(unsigned *)letter;
    if (left-- == 0)
        loop_stop(receiver);
    else
        loop_post(receiver, echo_to_self, &left, bytes);
}

START_TEST(test_letters_to_self)
{
    unsigned left = 1000;
    loop_post(loop, echo_to_self, &left, sizeof left);
    loop_run(loop);
}
END_TEST

/* ---- Workers: a letter handed round and round among threads that sleep in between. */

struct round_trip {
    struct workers *workers;
    unsigned at, hops;
};

static atomic_uint finished;
static struct loop *waiting;

static void on_finished(struct loop *receiver, void *letter, size_t bytes)
{
    (void)letter, (void)bytes;
    if (receiver)
        loop_stop(receiver);
}

static void pass_on(struct loop *receiver, void *letter, size_t bytes)
{
    struct round_trip trip = *(struct round_trip *)letter;
    if (!receiver)
        return;
    ck_assert_ptr_eq(workers_loop(trip.workers, trip.at), receiver);
    if (trip.hops-- == 0) {
        if (atomic_fetch_add(&finished, 1) == 3)
            loop_post(waiting, on_finished, NULL, 0);
        return;
    }
    trip.at = (trip.at + 1) % workers_count(trip.workers);
    loop_post(workers_loop(trip.workers, trip.at), pass_on, &trip, bytes);
}

START_TEST(test_workers_round)
{
    struct workers *workers;
    ck_assert_int_eq(workers_new(0, &workers), STATUS_LIMIT);
    ck_assert_int_eq(workers_new(WORKERS_MAX + 1, &workers), STATUS_LIMIT);
    ck_assert_int_eq(workers_new(3, &workers), STATUS_OK);
    waiting = loop;
    atomic_store(&finished, 0);
    ck_assert_int_eq(workers_start(workers), STATUS_OK);
    for (unsigned i = 0; i < 4; i++) {
        struct round_trip trip = {workers, i % 3, 2000};
        loop_post(workers_loop(workers, trip.at), pass_on, &trip, sizeof trip);
    }
    loop_run(loop);
    ck_assert_uint_eq(atomic_load(&finished), 4);
    /* Stopped with letters under way: they are given back, also those that giving back makes. */
    struct round_trip trip = {workers, 0, 1000000000};
    loop_post(workers_loop(workers, 0), pass_on, &trip, sizeof trip);
    workers_stop(workers);
    workers_free(&workers);
}
END_TEST

START_TEST(test_many_receivers)
{
    /* More receivers than the first table of outboxes holds. */
    struct workers *workers;
    ck_assert_int_eq(workers_new(40, &workers), STATUS_OK);
    waiting = loop;
    atomic_store(&finished, 0);
    ck_assert_int_eq(workers_start(workers), STATUS_OK);
    for (unsigned i = 0; i < 4; i++) {
        struct round_trip trip = {workers, i * 10, 400};
        loop_post(workers_loop(workers, trip.at), pass_on, &trip, sizeof trip);
    }
    loop_run(loop);
    workers_stop(workers);
    workers_free(&workers);
}
END_TEST

START_TEST(test_clock_after_sleep)
{
    uint64_t before = loop_now_ms(loop);
    run_for(30);
    ck_assert_uint_ge(loop_now_ms(loop), before + 29);
    ck_assert_uint_gt(loop_wall_ms(loop), 1600000000000u);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("loop");
    TCase *cases = tcase_create("loop");
    tcase_add_checked_fixture(cases, make_loop, drop_loop);
    tcase_set_timeout(cases, 1200);
    tcase_add_test(cases, test_timer_order);
    tcase_add_test(cases, test_timer_set_again);
    tcase_add_test(cases, test_timer_in_callback);
    tcase_add_test(cases, test_timer_many);
    tcase_add_test(cases, test_timer_far);
    tcase_add_test(cases, test_watch);
    tcase_add_test(cases, test_task_order);
    tcase_add_test(cases, test_task_endless);
    tcase_add_test(cases, test_task_cancel_within);
    tcase_add_test(cases, test_letters_three_senders);
    tcase_add_test(cases, test_letters_backlog);
    tcase_add_test(cases, test_letters_given_back);
    tcase_add_test(cases, test_letters_to_self);
    tcase_add_test(cases, test_workers_round);
    tcase_add_test(cases, test_many_receivers);
    tcase_add_test(cases, test_clock_after_sleep);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
