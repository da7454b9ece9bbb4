/* A failed assertion: say so without allocating, then abort. */
#include "leveret/base/check.h"

#include <stdio.h>
#include <stdlib.h>

void check_failed(const char *what, const char *file, int line)
{
    fprintf(stderr, "%s:%d: this must hold but does not: %s\n", file, line, what);
    abort();
}
