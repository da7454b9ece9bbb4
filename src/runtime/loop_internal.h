/* What worker.c needs of a loop beyond its contract. Only for src/runtime. */
#ifndef LEVERET_RUNTIME_LOOP_INTERNAL_H
#define LEVERET_RUNTIME_LOOP_INTERNAL_H

#include "leveret/runtime/loop.h"

/* For a loop that does not run and will not: gives the letters that nobody received back to their
 * handlers and runs the tasks that are left. Returns whether there was anything, since one loop's
 * remains may be letters to another. */
bool loop_drain(struct loop *loop);

#endif
