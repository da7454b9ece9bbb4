/* A task that moves the messages of a queue, and the list of all tasks. Thread: the main thread.
 *
 * Normal course: tasks_start opens a link to the vhost and sends COMMAND_MOVE again and again, a
 * portion at a time, at the rate that was asked for, until the core says that all messages that
 * were there at the start have been looked at, or until as many as were asked for have been moved.
 * A task lives as long as the broker runs; one that has ended is kept for a while, so that it can
 * be asked how it ended. What was moved is on disk in its new place when a task is "done".
 *
 * What can go wrong: a queue that a message is to go to is full, or an alarm is on: the task waits,
 * and says so. The queue or the vhost is deleted, or messages cannot be read: the task has failed,
 * and what it has not moved is where it was. The broker stops: likewise. */
#ifndef LEVERET_ADMIN_MOVE_TASK_H
#define LEVERET_ADMIN_MOVE_TASK_H

#include "leveret/base/bytes.h"
#include "leveret/base/status.h"
#include "leveret/broker/command.h"

struct admin;
struct move_tasks;

/* Tasks that run together at most; one more is refused. */
#define MOVE_TASKS_RUNNING_MAX 64u
/* Tasks that have ended and are kept; the oldest one makes room. */
#define MOVE_TASKS_ENDED_MAX 100u

/* move_task.left before the first portion. */
#define MOVE_LEFT_UNKNOWN UINT64_MAX

enum move_state { MOVE_RUNS, MOVE_WAITS, MOVE_STOPS, MOVE_ENDED, MOVE_STOPPED, MOVE_FAILED };

/* What a task is asked to do. The texts are copied. */
struct move_order {
    struct bytes vhost, queue, user;
    enum move_target target;
    struct bytes exchange, routing_key, to_queue;
    bool own_key, restore_expiration, dry, unchecked; /* as in COMMAND_MOVE */
    struct message_place only;
    uint64_t count_max; /* messages to be moved; UINT64_MAX: all */
    uint64_t rate;      /* messages a second at most; 0: as fast as it goes */
};

struct move_task {
    uint64_t id; /* from 1 up, since the broker started */
    struct move_order order;
    enum move_state state;
    const char *waits_for; /* MOVE_WAITS: a sentence's end, "the target is full" */
    char *why;             /* MOVE_FAILED: a sentence; else NULL */
    uint64_t moved, bytes, left, skipped[MOVE_SKIPS];
    uint64_t started_ms, ended_ms; /* wall clock; ended_ms 0: it has not ended */
};

/* Never NULL. */
struct move_tasks *tasks_new(struct admin *admin);
/* Stops all tasks. */
void tasks_free(struct move_tasks **tasks);

/* Starts a task. Errors: LOCKED (the queue has a task that runs), LIMIT (MOVE_TASKS_RUNNING_MAX),
 * NOT_FOUND (no such vhost), INTERNAL_ERROR (the vhost is down). */
MUST_USE enum status tasks_start(struct move_tasks *tasks, const struct move_order *order,
                                 uint64_t *id);
/* Asks a task to stop after the portion that is under way; does nothing when it has ended. */
void tasks_stop(struct move_tasks *tasks, uint64_t id);

/* The task, or NULL. Valid until the loop's next turn. */
const struct move_task *tasks_find(const struct move_tasks *tasks, uint64_t id);
/* Walks the tasks in the order in which they began: the first after the one with the number *after,
 * which is moved forwards; NULL at the end. */
const struct move_task *tasks_next(const struct move_tasks *tasks, uint64_t *after);
/* Messages a second that the task has moved since it began. */
double task_rate(const struct move_task *task);

#endif
