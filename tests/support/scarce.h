/* Memory that runs out, for tests: of the allocations whose failure is to be survived (mem_try,
 * mem_try_array) the one that a test asks for fails. A program that links this needs
 * $(scarce_ldflags), by which the linker leads those calls here. Any thread.
 *
 * The usual course, over every allocation that something makes:
 *
 *     for (unsigned nth = 1, failed = 1; failed; nth++) {
 *         scarce_begin(nth);
 *         ... what is tested
 *         failed = scarce_end();
 *         ... what must hold, failed or not
 *     } */
#ifndef LEVERET_TESTS_SCARCE_H
#define LEVERET_TESTS_SCARCE_H

#include <stdbool.h>

/* The nth allocation from now (from 1) fails, once. */
void scarce_begin(unsigned nth);
/* Whether it has come. */
bool scarce_failed(void);
/* No more of that; whether it came so far. */
bool scarce_end(void);

#endif
