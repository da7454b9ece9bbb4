/* A function of the loop that only worker.c calls. Thread: the main thread, with
 * workers stopped. */
#ifndef LEVERET_RUNTIME_LOOP_INTERNAL_H
#define LEVERET_RUNTIME_LOOP_INTERNAL_H

#include "leveret/runtime/loop.h"

/* For a loop that will not run again: gives letters that were not received back to their handlers
 * and runs the tasks that are left. Returns whether there were any: they may have posted letters to
 * another loop, which must then be drained again. */
bool loop_drain(struct loop *loop);

#endif
