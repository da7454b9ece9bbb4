/* Files and directories that must survive a crash whole. Any thread; all of them wait for the disk.
 *
 * What can go wrong: a full disk (NO_SPACE), anything else (IO); errno says what. */
#ifndef LEVERET_BASE_FILE_H
#define LEVERET_BASE_FILE_H

#include "leveret/base/bytes.h"
#include "leveret/base/status.h"

/* Puts a file in place of the one with this name, or of none: it is written beside it under the
 * name path.new, synced, renamed, and the directory is synced. So a crash leaves the old file or
 * the new one, and never part of one. Errors: NO_SPACE, IO. */
MUST_USE enum status file_replace(const char *path, struct bytes content);

/* Makes the names in a directory, or their absence, outlast a loss of power. Errors: NO_SPACE, IO.
 */
MUST_USE enum status file_sync_directory(const char *path);
/* The same for the directory that the path is in. */
MUST_USE enum status file_sync_parent(const char *path);

/* NO_SPACE or IO, by errno. */
enum status file_status(void);

#endif
