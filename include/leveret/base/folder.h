/* The files of a folder, such as a folder of configuration that two programs must read in the same
 * way. Thread: any. */
#ifndef LEVERET_BASE_FOLDER_H
#define LEVERET_BASE_FOLDER_H

#include "leveret/base/status.h"

/* Calls each() with the path of every entry whose name ends in ending and has more than that, in
 * order of name; hidden entries are left out. Errors: IO, with errno: the folder cannot be read. */
MUST_USE enum status folder_each(const char *path, const char *ending,
                                 void (*each)(void *context, const char *path), void *context);

#endif
