/* Whether a database was closed in order. The file "clean" in its directory says so: it is made
 * when the database has been closed, and goes before it is opened again. Without it the last stop
 * was a crash, and what was being written then may be torn. Any thread. */
#ifndef LEVERET_JOURNAL_CLEAN_H
#define LEVERET_JOURNAL_CLEAN_H

#include <stdbool.h>

#include "leveret/base/status.h"

bool clean_is_marked(const char *path);
/* After database_close. A mark that cannot be made is none: the next start takes the stop for a
 * crash. */
void clean_mark(const char *path);
/* Before database_open, so that no crash finds it. Errors: IO, NO_SPACE. */
MUST_USE enum status clean_unmark(const char *path);

#endif
