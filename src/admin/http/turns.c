/* Turns: a list of the requests that have theirs, and a line of those that wait. */
#include "admin/http/turns.h"

#include <stdlib.h>
#include <sys/queue.h>

#include "admin/http/http.h"
#include "admin/http/request.h"
#include "admin/http/respond.h"
#include "leveret/base/mem.h"

struct turn {
    TAILQ_ENTRY(turn) entry;
    struct request *request;
    void (*go)(struct request *request, void *argument);
    void *argument;
    bool running;
};

TAILQ_HEAD(turn_list, turn);

struct turns {
    struct turn_list running, waiting;
    size_t running_count, waiting_count;
    struct timer *timer; /* calls start_next in a later turn of the loop */
};

static bool is_same_asker(const struct request *a, const struct request *b)
{
    return strcmp(a->user, b->user) == 0 && strcmp(a->peer, b->peer) == 0;
}

static bool may_run(const struct turns *turns, const struct request *request)
{
    const struct turn *turn;
    unsigned own = 0;
    if (turns->running_count >= TURNS_MAX)
        return false;
    TAILQ_FOREACH(turn, &turns->running, entry)
    own += is_same_asker(turn->request, request);
    return own < TURNS_EACH_MAX;
}

static void start(struct turns *turns, struct turn *turn)
{
    turn->running = true;
    TAILQ_INSERT_TAIL(&turns->running, turn, entry);
    turns->running_count++;
    turn->go(turn->request, turn->argument);
}

/* Starts one request only: when it goes it may end, and give its turn back, which changes the
 * lists. */
static void start_next(void *context)
{
    struct turns *turns = context;
    struct turn *turn;
    TAILQ_FOREACH(turn, &turns->waiting, entry)
    {
        if (!may_run(turns, turn->request))
            continue;
        TAILQ_REMOVE(&turns->waiting, turn, entry);
        turns->waiting_count--;
        if (turns->waiting_count)
            timer_set(turns->timer, 0);
        start(turns, turn);
        return;
    }
}

struct turns *turns_new(struct loop *loop)
{
    struct turns *turns = mem_need(sizeof *turns);
    TAILQ_INIT(&turns->running);
    TAILQ_INIT(&turns->waiting);
    turns->timer = timer_new(loop, start_next, turns);
    return turns;
}

void turns_free(struct turns **turns)
{
    struct turns *t = *turns;
    struct turn *next;
    *turns = NULL;
    if (!t)
        return;
    /* A request that an owner has is freed after this: it must not find its turn any more. */
    for (struct turn *turn = TAILQ_FIRST(&t->running); turn; turn = next) {
        next = TAILQ_NEXT(turn, entry);
        turn->request->turn = NULL;
        free(turn);
    }
    timer_free(&t->timer);
    free(t);
}

bool turns_take(struct request *request, void (*go)(struct request *request, void *argument),
                void *argument)
{
    struct turns *turns = request->admin->turns;
    if (request->turn) {
        go(request, argument);
        return true;
    }
    bool runs = may_run(turns, request);
    if (!runs && turns->waiting_count >= TURNS_WAITING_MAX) {
        if (http_is_streaming(request))
            respond_no_room(request);
        else
            respond_error(request, 503, "service_unavailable",
                          "too many listings wait: try again later");
        return false;
    }
    struct turn *turn = mem_need(sizeof *turn);
    turn->request = request;
    turn->go = go;
    turn->argument = argument;
    request->turn = turn;
    if (runs) {
        start(turns, turn);
    } else {
        TAILQ_INSERT_TAIL(&turns->waiting, turn, entry);
        turns->waiting_count++;
    }
    return true;
}

void turns_give(struct request *request)
{
    struct turns *turns = request->admin->turns;
    struct turn *turn = request->turn;
    if (!turn)
        return;
    request->turn = NULL;
    if (turn->running) {
        TAILQ_REMOVE(&turns->running, turn, entry);
        turns->running_count--;
    } else {
        TAILQ_REMOVE(&turns->waiting, turn, entry);
        turns->waiting_count--;
    }
    free(turn);
    if (turns->waiting_count)
        timer_set(turns->timer, 0);
}
