/* The loop of a load thread. Edge-triggered: a connection counts as readable or writable until the
 * socket says EAGAIN, so that a loop under load needs one epoll call a turn and never changes what
 * it waits for. */
#include "drive.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "leveret/base/clock.h"

/* Events that one call of epoll returns; others are returned by the next. */
#define EVENTS_MAX 256
/* Longest wait for events, so that a change of phase is noticed in time. */
#define WAIT_MAX_NS 5000000u

/* Waits for events until wake_ns at most; it is in nanoseconds because a publisher with a rate
 * needs them. */
static int wait_events(int epoll, struct epoll_event *events, bool busy, uint64_t wake_ns)
{
    if (busy)
        return epoll_wait(epoll, events, EVENTS_MAX, 0);
    uint64_t now_ns = clock_steady_ns();
    uint64_t left_ns = wake_ns > now_ns ? wake_ns - now_ns : 0;
    if (left_ns > WAIT_MAX_NS)
        left_ns = WAIT_MAX_NS;
    struct timespec timeout = {.tv_nsec = (long)left_ns};
    int n = epoll_pwait2(epoll, events, EVENTS_MAX, &timeout, NULL);
    if (n < 0 && errno == ENOSYS)
        n = epoll_wait(epoll, events, EVENTS_MAX, (int)((left_ns + 999999) / 1000000));
    return n;
}

static enum status step(struct peer *peer, uint64_t *wake_ns, bool *busy)
{
    enum status status = STATUS_OK;
    if (peer->readable) {
        status = peer_read(peer);
        *busy |= peer->readable;
    }
    if (!status && peer->writable)
        status = peer_write(peer, wake_ns, busy);
    return status;
}

static void begin(struct drive *drive, int epoll)
{
    for (unsigned i = 0; i < drive->peer_count; i++) {
        struct peer *peer = &drive->peers[i];
        struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET | EPOLLRDHUP,
                                    .data.ptr = peer};
        if (epoll_ctl(epoll, EPOLL_CTL_ADD, peer->client->fd, &event) != 0)
            run_fail(drive->run, "epoll_ctl failed");
        peer->readable = peer->writable = true;
        for (unsigned k = 0; k < peer->lane_count; k++)
            if (peer->lanes[k].kind == LANE_CONSUMER)
                consumer_begin(&peer->lanes[k], peer->client);
    }
}

static void loop(struct drive *drive, int epoll)
{
    struct epoll_event events[EVENTS_MAX];
    bool busy = true;
    uint64_t wake_ns = 0;
    while (atomic_load_explicit(&drive->run->phase, memory_order_relaxed) != RUN_OVER) {
        int n = wait_events(epoll, events, busy, wake_ns);
        for (int i = 0; i < n; i++) {
            struct peer *peer = events[i].data.ptr;
            if (events[i].events & ~(uint32_t)EPOLLOUT)
                peer->readable = true;
            if (events[i].events & ~(uint32_t)EPOLLIN)
                peer->writable = true;
        }
        busy = false;
        wake_ns = UINT64_MAX;
        for (unsigned i = 0; i < drive->peer_count; i++) {
            if (step(&drive->peers[i], &wake_ns, &busy)) {
                run_fail(drive->run, drive->peers[i].client->why);
                return;
            }
        }
    }
}

static void *main_of_thread(void *argument)
{
    struct drive *drive = argument;
    prctl(PR_SET_TIMERSLACK, 1ul, 0ul, 0ul, 0ul);
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    if (epoll < 0) {
        run_fail(drive->run, "epoll_create1 failed");
        return NULL;
    }
    begin(drive, epoll);
    loop(drive, epoll);
    close(epoll);
    struct timespec cpu;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &cpu);
    drive->cpu_s = (double)cpu.tv_sec + (double)cpu.tv_nsec * 1e-9;
    return NULL;
}

enum status drive_start(struct drive *drive)
{
    return pthread_create(&drive->thread, NULL, main_of_thread, drive) ? STATUS_IO : STATUS_OK;
}

void drive_join(struct drive *drive)
{
    pthread_join(drive->thread, NULL);
}
