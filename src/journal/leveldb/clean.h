/* The mark of a database that was closed in order: an empty file "clean" in its directory. It is
 * made after the database is closed and removed before it is opened again. Without the mark the
 * last stop was a crash, and the last write may be torn.
 *
 * Thread: any. */
#ifndef LEVERET_JOURNAL_CLEAN_H
#define LEVERET_JOURNAL_CLEAN_H

#include <stdbool.h>

#include "leveret/base/status.h"

bool clean_is_marked(const char *path);
/* To be called after database_close. When the file cannot be made, the next start takes the stop
 * for a crash. */
void clean_mark(const char *path);
/* To be called before database_open, so that the mark is not there after a crash. Errors: IO,
 * NO_SPACE. */
MUST_USE enum status clean_unmark(const char *path);

#endif
