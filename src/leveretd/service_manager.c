/* Telling the service manager.
 *
 * Normal course: the thread asks for more time until service_manager_ready ends it; a timer then
 * feeds the watchdog at half of its interval; service_manager_stopping starts the thread again, and
 * it goes on until the process ends. What can go wrong: the manager does not read its socket: the
 * message is lost, and the broker goes on. */
#include "service_manager.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <systemd/sd-daemon.h>
#include <time.h>

#include "leveret/base/clock.h"
#include "leveret/base/mem.h"

struct service_manager {
    pthread_t thread;
    bool thread_runs; /* true from its start until it is joined */
    pthread_mutex_t lock;
    pthread_cond_t ended;
    bool busy; /* true while a start or a stop is under way; under the lock */
    struct timer *watchdog;
    uint64_t watchdog_ms; /* the time between two messages to the watchdog */
};

/* ---- More time. */

static void *ask_for_time(void *context)
{
    struct service_manager *manager = context;
    pthread_mutex_lock(&manager->lock);
    while (manager->busy) {
        struct timespec until;
        sd_notifyf(0, "EXTEND_TIMEOUT_USEC=%llu", 3ull * SERVICE_MANAGER_EXTEND_MS * 1000);
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_sec += SERVICE_MANAGER_EXTEND_MS / 1000;
        pthread_cond_timedwait(&manager->ended, &manager->lock, &until);
    }
    pthread_mutex_unlock(&manager->lock);
    return NULL;
}

static void begin(struct service_manager *manager)
{
    if (manager->thread_runs)
        return;
    manager->busy = true;
    manager->thread_runs = pthread_create(&manager->thread, NULL, ask_for_time, manager) == 0;
}

static void end(struct service_manager *manager)
{
    if (!manager->thread_runs)
        return;
    pthread_mutex_lock(&manager->lock);
    manager->busy = false;
    pthread_cond_signal(&manager->ended);
    pthread_mutex_unlock(&manager->lock);
    pthread_join(manager->thread, NULL);
    manager->thread_runs = false;
}

struct service_manager *service_manager_new(void)
{
    const char *socket = getenv("NOTIFY_SOCKET");
    if (!socket || !*socket)
        return NULL;
    struct service_manager *manager = mem_need(sizeof *manager);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&manager->ended, &attributes);
    pthread_condattr_destroy(&attributes);
    pthread_mutex_init(&manager->lock, NULL);
    begin(manager);
    return manager;
}

/* ---- The watchdog. */

static void feed(void *context)
{
    struct service_manager *manager = context;
    sd_notify(0, "WATCHDOG=1");
    timer_set(manager->watchdog, manager->watchdog_ms);
}

static void start_watchdog(struct service_manager *manager, struct loop *loop)
{
    uint64_t interval_us = 0;
    if (sd_watchdog_enabled(0, &interval_us) <= 0)
        return;
    manager->watchdog_ms = interval_us / 2000;
    manager->watchdog = timer_new(loop, feed, manager);
    feed(manager);
}

/* ---- Messages. */

void service_manager_ready(struct service_manager *manager, struct loop *loop, const char *status)
{
    if (!manager)
        return;
    end(manager);
    sd_notifyf(0, "READY=1\nSTATUS=%s", status);
    start_watchdog(manager, loop);
}

void service_manager_reloading(struct service_manager *manager)
{
    if (manager)
        sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%llu",
                   (unsigned long long)(clock_steady_ns() / 1000));
}

void service_manager_reloaded(struct service_manager *manager)
{
    if (manager)
        sd_notify(0, "READY=1");
}

void service_manager_stopping(struct service_manager *manager)
{
    if (!manager)
        return;
    if (manager->watchdog)
        timer_free(&manager->watchdog);
    sd_notify(0, "STOPPING=1\nSTATUS=stopping");
    begin(manager);
}

void service_manager_free(struct service_manager **manager)
{
    if (!*manager)
        return;
    end(*manager);
    pthread_cond_destroy(&(*manager)->ended);
    pthread_mutex_destroy(&(*manager)->lock);
    free(*manager);
    *manager = NULL;
}
