/* The tasks of a loop's turn, by phase. Only for src/runtime.
 *
 * Thread: the loop's own. */
#ifndef LEVERET_RUNTIME_TASK_H
#define LEVERET_RUNTIME_TASK_H

#include "leveret/runtime/loop.h"

/* A ring of tasks for each phase; the sentinel is a task that never runs. */
struct tasks {
    struct loop_task phases[PHASE_COUNT];
    struct loop_task current; /* tasks that are being run */
};

void tasks_init(struct tasks *tasks);
void tasks_add(struct tasks *tasks, enum loop_phase phase, struct loop_task *task);
bool tasks_waiting(const struct tasks *tasks);
/* Runs the phases in order, and again while tasks have scheduled tasks, but not without end, so
 * that such tasks cannot keep the loop from its sockets. Returns true when some are left for the
 * next turn. */
bool tasks_run(struct tasks *tasks);

#endif
