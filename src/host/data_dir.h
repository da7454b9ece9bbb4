/* The data directory: made at the first start, locked while a node uses it.
 *
 * Layout: lock, format, made (an empty file: the directory was filled before), node/ (the key store
 * of users, vhosts and permissions), vhosts/NAME/ (a journal for each vhost; the vhost's name is
 * percent-encoded).
 *
 * Thread: the main thread; data_dir_remove_vhost is called on the vhost's owner. */
#ifndef LEVERET_HOST_DATA_DIR_H
#define LEVERET_HOST_DATA_DIR_H

#include <stdbool.h>

#include "leveret/base/bytes.h"
#include "leveret/base/status.h"

struct data_dir;

/* Makes the directory or opens it, locks it and checks its format version. Errors: LOCKED, VERSION,
 * CORRUPT, IO, NO_SPACE, with a sentence in *error (free it). */
MUST_USE enum status data_dir_open(const char *path, struct data_dir **out, char **error);
void data_dir_close(struct data_dir **dir);

const char *data_dir_path(const struct data_dir *dir);
/* The paths of the node's key store and of a vhost's journal. The caller frees them. */
char *data_dir_node_path(const struct data_dir *dir);
char *data_dir_vhost_path(const struct data_dir *dir, struct bytes vhost);

/* Removes the directory of a vhost whose journal is closed. The directory is renamed first, and the
 * rename is synced: after that the data are gone, and if a crash leaves some of the files behind,
 * the next data_dir_open removes them. Errors: IO, NO_SPACE: the data may still be there. */
MUST_USE enum status data_dir_remove_vhost(const char *path);

/* ---- data_dir_filled.c. data_dir is the directory's path. */

/* Whether users were made in the directory at an earlier start. */
bool data_dir_was_filled(const char *data_dir);
/* Remembers that they were. Errors: IO, NO_SPACE. */
MUST_USE enum status data_dir_mark_filled(const char *data_dir);
/* Refuses a directory that was filled before and has lost its node/. Errors: CORRUPT, with a
 * sentence in *error (free it). */
MUST_USE enum status data_dir_check_node(const char *data_dir, char **error);

#endif
