/* Part of threads.h and leveret/journal/journal_leveldb.h. There are three pools of threads (the
 * writers, the reader, the bulk thread), and the housekeeper. */
#include "journal/leveldb/threads.h"

#include <pthread.h>
#include <signal.h>
#include <time.h>

#include "leveret/base/check.h"
#include "leveret/base/clock.h"
#include "leveret/base/mem.h"

/* Threads that write. */
#define WRITERS_MAX 16u
/* Milliseconds between two rounds of the housekeeper. */
#define UPKEEP_EVERY_MS 500u

TAILQ_HEAD(job_list, job);

struct pool {
    pthread_mutex_t lock;
    pthread_cond_t more;
    struct job_list jobs; /* in the order in which they were queued; some may not be due yet */
    bool ending; /* the threads end when no job is left, and no job waits until it is due */
    pthread_t threads[WRITERS_MAX];
    unsigned count;
};

struct journal_threads {
    struct pool writers, reader, bulk;
    struct log *log;
    pthread_mutex_t upkeep_lock;
    pthread_cond_t upkeep_wake, upkeep_done;
    TAILQ_HEAD(, upkeep) upkeeps;
    bool ending; /* the housekeeper is to end */
    bool hurry;  /* threads_hurry was called since the last round */
    pthread_t upkeep_thread;
};

static void cond_init(pthread_cond_t *cond)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    CHECK(pthread_cond_init(cond, &attributes) == 0);
    pthread_condattr_destroy(&attributes);
}

static void wait_ms(pthread_cond_t *cond, pthread_mutex_t *lock, uint64_t ms)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += (time_t)(ms / 1000);
    until.tv_nsec += (long)(ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_nsec -= 1000000000;
        until.tv_sec++;
    }
    pthread_cond_timedwait(cond, lock, &until);
}

/* Starts a thread that takes no signals: those are for the main thread. */
static void start_thread(pthread_t *thread, void *(*run)(void *), void *context)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    CHECK(pthread_create(thread, NULL, run, context) == 0);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

/* ---- Pools. */

/* Takes the first job that is due out of the list; NULL: there is none. *wait_for_ms: the time
 * until the next one is due; UINT64_MAX: no job is queued. */
static struct job *take_due(struct pool *pool, uint64_t *wait_for_ms)
{
    *wait_for_ms = UINT64_MAX;
    uint64_t now = 0;
    struct job *job;
    TAILQ_FOREACH(job, &pool->jobs, link)
    {
        if (job->due_ms == 0)
            break;
        if (now == 0)
            now = clock_steady_ms();
        if (job->due_ms <= now || pool->ending)
            break;
        if (job->due_ms - now < *wait_for_ms)
            *wait_for_ms = job->due_ms - now;
    }
    if (job)
        TAILQ_REMOVE(&pool->jobs, job, link);
    return job;
}

static void *work(void *context)
{
    struct pool *pool = context;
    pthread_mutex_lock(&pool->lock);
    for (;;) {
        uint64_t wait_for_ms;
        struct job *job = take_due(pool, &wait_for_ms);
        if (job) {
            pthread_mutex_unlock(&pool->lock);
            job->run(job);
            pthread_mutex_lock(&pool->lock);
        } else if (pool->ending) {
            break;
        } else if (wait_for_ms == UINT64_MAX) {
            pthread_cond_wait(&pool->more, &pool->lock);
        } else {
            wait_ms(&pool->more, &pool->lock, wait_for_ms);
        }
    }
    pthread_mutex_unlock(&pool->lock);
    return NULL;
}

static void pool_start(struct pool *pool, unsigned count)
{
    pthread_mutex_init(&pool->lock, NULL);
    cond_init(&pool->more);
    TAILQ_INIT(&pool->jobs);
    pool->count = count;
    for (unsigned i = 0; i < count; i++)
        start_thread(&pool->threads[i], work, pool);
}

static void pool_end(struct pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    pool->ending = true;
    pthread_cond_broadcast(&pool->more);
    pthread_mutex_unlock(&pool->lock);
    for (unsigned i = 0; i < pool->count; i++)
        pthread_join(pool->threads[i], NULL);
    pthread_cond_destroy(&pool->more);
    pthread_mutex_destroy(&pool->lock);
}

static void pool_add(struct pool *pool, struct job *job, uint64_t due_ms)
{
    job->due_ms = due_ms;
    pthread_mutex_lock(&pool->lock);
    TAILQ_INSERT_TAIL(&pool->jobs, job, link);
    pthread_mutex_unlock(&pool->lock);
    /* Not under the lock, for which the thread that wakes would have to wait. */
    pthread_cond_signal(&pool->more);
}

void threads_write(struct journal_threads *threads, struct job *job)
{
    pool_add(&threads->writers, job, 0);
}

void threads_write_later(struct journal_threads *threads, struct job *job, uint64_t delay_ms)
{
    pool_add(&threads->writers, job, clock_steady_ms() + delay_ms);
}

void threads_bulk(struct journal_threads *threads, struct job *job)
{
    pool_add(&threads->bulk, job, 0);
}

void threads_read(struct journal_threads *threads, struct job *job)
{
    pool_add(&threads->reader, job, 0);
}

void threads_read_later(struct journal_threads *threads, struct job *job, uint64_t delay_ms)
{
    pool_add(&threads->reader, job, clock_steady_ms() + delay_ms);
}

/* ---- Upkeep. */

static void run_upkeeps(struct journal_threads *threads)
{
    struct upkeep *upkeep;
    TAILQ_FOREACH(upkeep, &threads->upkeeps, link)
    {
        /* An upkeep that runs cannot be removed, so its place in the list stays valid. */
        upkeep->running = true;
        pthread_mutex_unlock(&threads->upkeep_lock);
        upkeep->run(upkeep);
        pthread_mutex_lock(&threads->upkeep_lock);
        upkeep->running = false;
        pthread_cond_broadcast(&threads->upkeep_done);
        if (threads->ending)
            return;
    }
}

static void *keep_house(void *context)
{
    struct journal_threads *threads = context;
    pthread_mutex_lock(&threads->upkeep_lock);
    while (!threads->ending) {
        if (!threads->hurry)
            wait_ms(&threads->upkeep_wake, &threads->upkeep_lock, UPKEEP_EVERY_MS);
        threads->hurry = false;
        run_upkeeps(threads);
    }
    pthread_mutex_unlock(&threads->upkeep_lock);
    return NULL;
}

void threads_upkeep_add(struct journal_threads *threads, struct upkeep *upkeep)
{
    pthread_mutex_lock(&threads->upkeep_lock);
    upkeep->running = false;
    TAILQ_INSERT_TAIL(&threads->upkeeps, upkeep, link);
    pthread_mutex_unlock(&threads->upkeep_lock);
}

void threads_upkeep_remove(struct journal_threads *threads, struct upkeep *upkeep)
{
    pthread_mutex_lock(&threads->upkeep_lock);
    while (upkeep->running)
        pthread_cond_wait(&threads->upkeep_done, &threads->upkeep_lock);
    TAILQ_REMOVE(&threads->upkeeps, upkeep, link);
    pthread_mutex_unlock(&threads->upkeep_lock);
}

void threads_hurry(struct journal_threads *threads)
{
    pthread_mutex_lock(&threads->upkeep_lock);
    threads->hurry = true;
    pthread_cond_signal(&threads->upkeep_wake);
    pthread_mutex_unlock(&threads->upkeep_lock);
}

/* ---- Life. */

struct journal_threads *journal_threads_new(unsigned writers, struct log *log)
{
    CHECK(writers >= 1 && writers <= WRITERS_MAX);
    struct journal_threads *threads = mem_need(sizeof *threads);
    threads->log = log;
    TAILQ_INIT(&threads->upkeeps);
    pthread_mutex_init(&threads->upkeep_lock, NULL);
    cond_init(&threads->upkeep_wake);
    cond_init(&threads->upkeep_done);
    pool_start(&threads->writers, writers);
    pool_start(&threads->reader, 1);
    pool_start(&threads->bulk, 1);
    start_thread(&threads->upkeep_thread, keep_house, threads);
    return threads;
}

void journal_threads_free(struct journal_threads **threads)
{
    struct journal_threads *gone = *threads;
    *threads = NULL;
    if (!gone)
        return;
    pool_end(&gone->writers);
    pool_end(&gone->reader);
    pool_end(&gone->bulk);
    pthread_mutex_lock(&gone->upkeep_lock);
    gone->ending = true;
    pthread_cond_signal(&gone->upkeep_wake);
    pthread_mutex_unlock(&gone->upkeep_lock);
    pthread_join(gone->upkeep_thread, NULL);
    CHECK(TAILQ_EMPTY(&gone->upkeeps));
    pthread_cond_destroy(&gone->upkeep_wake);
    pthread_cond_destroy(&gone->upkeep_done);
    pthread_mutex_destroy(&gone->upkeep_lock);
    free(gone);
}
