/* Tasks that move messages: see move_task.h. */
#include "admin/moving/move_task.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "admin/http/admin_state.h"
#include "leveret/base/clock.h"
#include "leveret/base/log.h"
#include "leveret/base/mem.h"

/* The name of a task's link; listings of connections leave it out like those of requests. */
#define LINK_NAME "HTTP API"
/* Messages that one command moves at most. */
#define PORTION 512u
/* Commands whose messages need not be on disk before the next command is sent. */
#define UNSYNCED_MAX 8u
/* Milliseconds between two tries while the target is full. */
#define RETRY_MS 1000u
/* Milliseconds between two portions of a task with a rate; a portion has the messages of that time.
 */
#define PACE_MS 50u

struct task {
    struct move_task shown;
    struct move_tasks *tasks; /* NULL: they were freed, and the task waits for EVENT_DETACHED */
    TAILQ_ENTRY(task) entry;
    struct link *link; /* NULL: it is closed, and EVENT_DETACHED has come */
    struct timer *timer;
    struct text names;
    bool closed;       /* true: the link is being closed */
    bool busy;         /* true: a command is under way */
    bool all;          /* true: everything has been looked at */
    bool held, gated;  /* true: the core wants a pause; an alarm is on */
    bool retrying;     /* true: the target was full */
    unsigned unsynced; /* commands whose reply has not come */
    double allowance;  /* messages that the rate allows now */
    uint64_t paced_ms; /* the loop's clock, when that was last raised */
};
TAILQ_HEAD(task_list, task);

struct move_tasks {
    struct admin *admin;
    struct task_list list; /* oldest first */
    uint64_t last_id;
    unsigned running, ended;
};

/* ---- Ending. */

static void free_task(struct task *task)
{
    if (task->tasks)
        TAILQ_REMOVE(&task->tasks->list, task, entry);
    timer_free(&task->timer);
    text_free(&task->names);
    free(task->shown.why);
    free(task);
}

/* Frees the oldest tasks that have ended when there are too many. */
static void forget_old(struct move_tasks *tasks)
{
    struct task *task, *next;
    for (task = TAILQ_FIRST(&tasks->list); task && tasks->ended > MOVE_TASKS_ENDED_MAX;
         task = next) {
        next = TAILQ_NEXT(task, entry);
        if (!task->shown.ended_ms || task->link)
            continue;
        free_task(task);
        tasks->ended--;
    }
}

static void end(struct task *task, enum move_state state, const char *why)
{
    const struct move_order *order = &task->shown.order;
    if (task->shown.ended_ms)
        return;
    task->shown.state = state;
    task->shown.ended_ms = clock_wall_ms();
    task->shown.waits_for = NULL;
    if (why)
        task->shown.why = mem_need_text(why, strlen(why));
    task->tasks->running--;
    task->tasks->ended++;
    timer_clear(task->timer);
    log_line(task->tasks->admin->options.log, state == MOVE_FAILED ? LOG_WARNING : LOG_INFO, "http",
             "move %llu of queue '%.*s' in vhost '%.*s' by '%.*s': %s, %llu messages moved%s%s",
             (unsigned long long)task->shown.id, BYTES_PRINT(order->queue),
             BYTES_PRINT(order->vhost), BYTES_PRINT(order->user),
             state == MOVE_ENDED     ? "done"
             : state == MOVE_STOPPED ? "stopped"
                                     : "failed",
             (unsigned long long)task->shown.moved, why ? ": " : "", why ? why : "");
    if (task->link && !task->closed) {
        task->closed = true;
        link_close(task->link);
    }
}

/* ---- Sending. */

/* Messages that the next command may move; 0: none now. */
static uint32_t portion(struct task *task)
{
    const struct move_task *shown = &task->shown;
    uint64_t most = shown->order.count_max - shown->moved;
    if (most > PORTION)
        most = PORTION;
    if (!shown->order.rate)
        return (uint32_t)most;
    uint64_t now_ms = loop_now_ms(task->tasks->admin->options.loop);
    double rate = (double)shown->order.rate, burst = rate * PACE_MS / 1000 * 2;
    task->allowance += rate * (double)(now_ms - task->paced_ms) / 1000;
    task->paced_ms = now_ms;
    if (burst < 1)
        burst = 1;
    if (task->allowance > burst)
        task->allowance = burst;
    return task->allowance < (double)most ? (uint32_t)task->allowance : (uint32_t)most;
}

static void set_state(struct task *task, enum move_state state, const char *waits_for)
{
    if (task->shown.state == MOVE_STOPS)
        return;
    task->shown.state = state;
    task->shown.waits_for = waits_for;
}

static void send_portion(struct task *task, uint32_t count)
{
    const struct move_order *order = &task->shown.order;
    struct command move = {.type = COMMAND_MOVE, .channel = 1};
    move.u.move.queue = order->queue;
    move.u.move.to_queue = order->to_queue;
    move.u.move.exchange = order->exchange;
    move.u.move.routing_key = order->routing_key;
    move.u.move.only = order->only;
    move.u.move.count = count;
    move.u.move.target = order->target;
    move.u.move.own_key = order->own_key;
    move.u.move.restore_expiration = order->restore_expiration;
    move.u.move.dry = order->dry;
    move.u.move.unchecked = order->unchecked;
    task->busy = true;
    task->unsynced++;
    link_send(task->link, &move);
}

/* Sends the next command, or notes what the task waits for, or ends it. Never called from within an
 * event, since link_send may bring the next event at once: the timer calls it. */
static void go_on(void *context)
{
    struct task *task = context;
    struct move_task *shown = &task->shown;
    if (shown->ended_ms || task->busy)
        return;
    bool enough = task->all || shown->moved >= shown->order.count_max;
    if (enough || shown->state == MOVE_STOPS) {
        if (!task->unsynced)
            end(task, enough ? MOVE_ENDED : MOVE_STOPPED, NULL);
        return;
    }
    if (task->gated || task->held || task->unsynced >= UNSYNCED_MAX) {
        set_state(task, task->gated ? MOVE_WAITS : MOVE_RUNS,
                  task->gated ? "an alarm is on" : NULL);
        return;
    }
    uint32_t count = portion(task);
    if (!task->retrying)
        set_state(task, MOVE_RUNS, NULL);
    task->retrying = false;
    if (count)
        send_portion(task, count);
    else
        timer_set(task->timer, PACE_MS);
}

static void soon(struct task *task)
{
    if (!task->shown.ended_ms)
        timer_set(task->timer, 0);
}

/* ---- Events. */

static void on_moved(struct task *task, const struct moved *moved)
{
    struct move_task *shown = &task->shown;
    uint64_t looked_at = moved->moved;
    task->busy = false;
    shown->moved += moved->moved;
    shown->bytes += moved->bytes;
    shown->left = moved->left;
    for (unsigned i = 0; i < MOVE_SKIPS; i++) {
        shown->skipped[i] += moved->skipped[i];
        looked_at += moved->skipped[i];
    }
    task->allowance -= (double)looked_at;
    task->all = moved->done;
    if (moved->blocked) {
        task->retrying = true;
        set_state(task, MOVE_WAITS, "the queue that the next message is to go to is full");
        timer_set(task->timer, RETRY_MS);
    } else {
        soon(task);
    }
}

static void on_reply(struct task *task, const struct event *event)
{
    if (event->u.reply.status != STATUS_OK) {
        end(task, MOVE_FAILED, event->u.reply.text ? event->u.reply.text : "refused");
    } else if (event->u.reply.command == COMMAND_MOVE) {
        task->unsynced--;
        if (!task->busy && !task->retrying)
            soon(task);
    }
}

static void on_event(void *context, const struct event *event)
{
    struct task *task = context;
    if (!task->tasks && event->type != EVENT_DETACHED)
        return;
    switch (event->type) {
    case EVENT_DETACHED:
        task->link = NULL;
        if (!task->tasks) {
            free_task(task);
            break;
        }
        end(task, MOVE_FAILED, "the virtual host was deleted, or went down");
        forget_old(task->tasks);
        break;
    case EVENT_GATE:
        task->gated = event->u.gate.gate == GATE_ALARM || event->u.gate.gate == GATE_MEMORY;
        soon(task);
        break;
    case EVENT_MOVED:
        on_moved(task, event->u.moved.moved);
        break;
    case EVENT_REPLY:
        on_reply(task, event);
        break;
    default:
        break;
    }
}

static void on_hold(void *context, bool held)
{
    struct task *task = context;
    task->held = held;
    if (!held && task->tasks)
        soon(task);
}

/* ---- Tasks. */

struct move_tasks *tasks_new(struct admin *admin)
{
    struct move_tasks *tasks = mem_need(sizeof *tasks);
    tasks->admin = admin;
    TAILQ_INIT(&tasks->list);
    return tasks;
}

/* Copies the order's names into the task. */
static void copy_names(struct task *task, const struct move_order *order)
{
    struct move_order *to = &task->shown.order;
    *to = *order;
    struct bytes *const names[] = {&to->vhost,    &to->queue,       &to->user,
                                   &to->exchange, &to->routing_key, &to->to_queue};
    size_t count = sizeof names / sizeof *names, at = 0;
    for (size_t i = 0; i < count; i++)
        text_add_bytes(&task->names, *names[i]);
    for (size_t i = 0; i < count; i++) {
        names[i]->at = task->names.at + at;
        at += names[i]->len;
    }
}

static bool runs_for(const struct move_tasks *tasks, const struct move_order *order)
{
    const struct task *task;
    TAILQ_FOREACH(task, &tasks->list, entry)
    if (!task->shown.ended_ms && bytes_equal(task->shown.order.vhost, order->vhost) &&
        bytes_equal(task->shown.order.queue, order->queue))
        return true;
    return false;
}

enum status tasks_start(struct move_tasks *tasks, const struct move_order *order, uint64_t *id)
{
    struct loop *loop = tasks->admin->options.loop;
    if (runs_for(tasks, order))
        return STATUS_LOCKED;
    if (tasks->running >= MOVE_TASKS_RUNNING_MAX)
        return STATUS_LIMIT;
    struct task *task = mem_need(sizeof *task);
    const struct link_options options = {
        .loop = loop,
        .event = on_event,
        .hold = on_hold,
        .context = task,
        .name = BYTES_LITERAL(LINK_NAME),
        .user = order->user,
    };
    enum status status = link_open(tasks->admin->options.node, order->vhost, &options, &task->link);
    if (status != STATUS_OK) {
        free(task);
        return status;
    }
    copy_names(task, order);
    task->tasks = tasks;
    task->shown.id = *id = ++tasks->last_id;
    task->shown.started_ms = clock_wall_ms();
    task->shown.left = MOVE_LEFT_UNKNOWN;
    task->paced_ms = loop_now_ms(loop);
    task->timer = timer_new(loop, go_on, task);
    TAILQ_INSERT_TAIL(&tasks->list, task, entry);
    tasks->running++;
    link_publishes(task->link);
    const struct command open = {.type = COMMAND_CHANNEL_OPEN, .channel = 1};
    link_send(task->link, &open);
    soon(task);
    return STATUS_OK;
}

static struct task *find(const struct move_tasks *tasks, uint64_t id)
{
    struct task *task;
    TAILQ_FOREACH(task, &tasks->list, entry)
    if (task->shown.id == id)
        return task;
    return NULL;
}

void tasks_stop(struct move_tasks *tasks, uint64_t id)
{
    struct task *task = find(tasks, id);
    if (!task || task->shown.ended_ms)
        return;
    task->shown.state = MOVE_STOPS;
    task->shown.waits_for = NULL;
    soon(task);
}

const struct move_task *tasks_find(const struct move_tasks *tasks, uint64_t id)
{
    const struct task *task = find(tasks, id);
    return task ? &task->shown : NULL;
}

const struct move_task *tasks_next(const struct move_tasks *tasks, uint64_t *after)
{
    const struct task *task;
    TAILQ_FOREACH(task, &tasks->list, entry)
    if (task->shown.id > *after) {
        *after = task->shown.id;
        return &task->shown;
    }
    return NULL;
}

double task_rate(const struct move_task *task)
{
    uint64_t end_ms = task->ended_ms ? task->ended_ms : clock_wall_ms();
    uint64_t age_ms = end_ms > task->started_ms ? end_ms - task->started_ms : 1;
    return (double)task->moved * 1000 / (double)age_ms;
}

void tasks_free(struct move_tasks **tasks)
{
    struct task *task, *next;
    if (!*tasks)
        return;
    for (task = TAILQ_FIRST(&(*tasks)->list); task; task = next) {
        next = TAILQ_NEXT(task, entry);
        end(task, MOVE_STOPPED, NULL);
        if (task->link) {
            TAILQ_REMOVE(&(*tasks)->list, task, entry);
            task->tasks = NULL;
        } else {
            free_task(task);
        }
    }
    free(*tasks);
    *tasks = NULL;
}
