/* Files and directories that must survive a crash whole. Thread: any; all functions wait for the
 * disk.
 *
 * What can go wrong: a full disk (NO_SPACE), anything else (IO); errno says what. */
#ifndef LEVERET_BASE_FILE_H
#define LEVERET_BASE_FILE_H

#include "leveret/base/bytes.h"
#include "leveret/base/status.h"

/* Creates or replaces the file: writes path.new, syncs it, renames it to path and syncs the
 * directory. A crash leaves the old file or the new one, never a part of one. Errors:
 * NO_SPACE, IO. */
MUST_USE enum status file_replace(const char *path, struct bytes content);

/* Syncs a directory, so that names added to it or removed from it stay so after a loss of power.
 * Errors: NO_SPACE, IO. */
MUST_USE enum status file_sync_directory(const char *path);
/* The same for the directory that the path is in. */
MUST_USE enum status file_sync_parent(const char *path);

/* NO_SPACE or IO, by errno. */
enum status file_status(void);

#endif
