/* Workers: threads that run a loop each.
 *
 * Normal course: workers_new makes the loops, the caller adds watches and timers to them,
 * workers_start starts the threads, workers_stop ends them, and workers_free gives letters that
 * were not received back and frees the loops. */
#include "leveret/runtime/worker.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "leveret/base/check.h"
#include "leveret/base/mem.h"
#include "loop_internal.h"

struct worker {
    struct loop *loop;
    pthread_t thread;
    bool started;
};

struct workers {
    unsigned count;
    struct worker all[];
};

enum status workers_new(unsigned count, struct workers **out)
{
    *out = NULL;
    if (count < 1 || count > WORKERS_MAX)
        return STATUS_LIMIT;
    struct workers *workers = mem_need(sizeof *workers + count * sizeof workers->all[0]);
    for (; workers->count < count; workers->count++) {
        enum status status = loop_new(&workers->all[workers->count].loop);
        if (status != STATUS_OK) {
            workers_free(&workers);
            return status;
        }
    }
    *out = workers;
    return STATUS_OK;
}

static void *run(void *argument)
{
    struct worker *worker = argument;
    loop_run(worker->loop);
    return NULL;
}

enum status workers_start(struct workers *workers)
{
    /* Only the main thread receives signals. */
    sigset_t all, old;
    sigfillset(&all);
    CHECK(pthread_sigmask(SIG_SETMASK, &all, &old) == 0);
    enum status status = STATUS_OK;
    for (unsigned i = 0; i < workers->count && status == STATUS_OK; i++) {
        struct worker *worker = &workers->all[i];
        CHECK(!worker->started);
        worker->started = pthread_create(&worker->thread, NULL, run, worker) == 0;
        if (!worker->started) {
            status = STATUS_IO;
            break;
        }
        char name[24];
        snprintf(name, sizeof name, "worker %u", i); /* the kernel keeps 15 characters */
        pthread_setname_np(worker->thread, name);
    }
    CHECK(pthread_sigmask(SIG_SETMASK, &old, NULL) == 0);
    if (status != STATUS_OK)
        workers_stop(workers);
    return status;
}

void workers_stop(struct workers *workers)
{
    for (unsigned i = 0; i < workers->count; i++)
        if (workers->all[i].started)
            loop_stop(workers->all[i].loop);
    for (unsigned i = 0; i < workers->count; i++) {
        struct worker *worker = &workers->all[i];
        if (worker->started)
            CHECK(pthread_join(worker->thread, NULL) == 0);
        worker->started = false;
    }
}

void workers_free(struct workers **workers)
{
    struct workers *w = *workers;
    *workers = NULL;
    if (!w)
        return;
    for (unsigned i = 0; i < w->count; i++)
        CHECK(!w->all[i].started);
    /* A handler that gets a letter back may post another, so this goes on until all mailboxes are
     * empty. */
    for (bool any = true; any;) {
        any = false;
        for (unsigned i = 0; i < w->count; i++)
            any = loop_drain(w->all[i].loop) || any;
    }
    for (unsigned i = 0; i < w->count; i++)
        loop_free(&w->all[i].loop);
    free(w);
}

unsigned workers_count(const struct workers *workers)
{
    return workers->count;
}

struct loop *workers_loop(const struct workers *workers, unsigned index)
{
    CHECK(index < workers->count);
    return workers->all[index].loop;
}
