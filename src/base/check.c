/* A failed assertion: prints it without allocating, then aborts. */
#include "leveret/base/check.h"

#include <stdio.h>
#include <stdlib.h>

void check_failed(const char *what, const char *file, int line)
{
    fprintf(stderr, "%s:%d: this must hold but does not: %s\n", file, line, what);
    abort();
}
