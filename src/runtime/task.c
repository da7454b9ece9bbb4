/* The tasks of a turn: a ring for each phase, so that cancelling one needs no search.
 *
 * Normal course: tasks_add links a task into its phase's ring; at the end of the turn tasks_run
 * moves each ring aside and runs its tasks. A task may add tasks: to its own phase they run before
 * the next phase begins, to a later one in this sweep, to an earlier one in the next sweep. What
 * can go wrong: tasks that schedule each other without end. Rounds and sweeps are counted; tasks
 * that are left then run in the next turn, after the sockets were looked at. */
#include "task.h"

#include "leveret/base/check.h"

/* How often one sweep runs the tasks of a phase, and how many sweeps a turn has; tasks that are
 * left run in the next turn. */
#define ROUNDS_MAX 16
#define SWEEPS_MAX 8

static void ring_init(struct loop_task *ring)
{
    ring->next = ring->prev = ring;
}

static bool ring_empty(const struct loop_task *ring)
{
    return ring->next == ring;
}

/* Moves all tasks of the ring `from`, in order, to the empty ring `to`. */
static void ring_move(struct loop_task *from, struct loop_task *to)
{
    to->next = from->next;
    to->prev = from->prev;
    to->next->prev = to;
    to->prev->next = to;
    ring_init(from);
}

static void unlink_task(struct loop_task *task)
{
    task->next->prev = task->prev;
    task->prev->next = task->next;
    task->next = task->prev = NULL;
    task->scheduled = false;
}

void tasks_init(struct tasks *tasks)
{
    for (int i = 0; i < PHASE_COUNT; i++)
        ring_init(&tasks->phases[i]);
    ring_init(&tasks->current);
}

void tasks_add(struct tasks *tasks, enum loop_phase phase, struct loop_task *task)
{
    if (task->scheduled)
        return;
    struct loop_task *ring = &tasks->phases[phase];
    task->next = ring;
    task->prev = ring->prev;
    ring->prev->next = task;
    ring->prev = task;
    task->scheduled = true;
}

void loop_task_cancel(struct loop *loop, struct loop_task *task)
{
    (void)loop;
    if (task->scheduled)
        unlink_task(task);
}

bool tasks_waiting(const struct tasks *tasks)
{
    for (int i = 0; i < PHASE_COUNT; i++)
        if (!ring_empty(&tasks->phases[i]))
            return true;
    return false;
}

static void run_phase(struct tasks *tasks, struct loop_task *ring)
{
    for (int round = 0; round < ROUNDS_MAX && !ring_empty(ring); round++) {
        ring_move(ring, &tasks->current);
        while (!ring_empty(&tasks->current)) {
            struct loop_task *task = tasks->current.next;
            unlink_task(task);
            task->run(task); /* may free the task */
        }
    }
}

bool tasks_run(struct tasks *tasks)
{
    CHECK(ring_empty(&tasks->current)); /* a task must not call this */
    for (int sweep = 0; sweep < SWEEPS_MAX; sweep++) {
        for (int i = 0; i < PHASE_COUNT; i++)
            run_phase(tasks, &tasks->phases[i]);
        if (!tasks_waiting(tasks))
            return false;
    }
    return true;
}
