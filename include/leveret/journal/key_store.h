/* A small key-value store on LevelDB, in a directory of its own: the node keeps its users, vhosts
 * and permissions in one. Every change is synced.
 *
 * Thread: any one at a time. Every function that reads or writes waits for the disk. */
#ifndef LEVERET_JOURNAL_KEY_STORE_H
#define LEVERET_JOURNAL_KEY_STORE_H

#include "leveret/base/bytes.h"
#include "leveret/base/status.h"

struct key_store;

/* Whether path holds a store, even a damaged one. Without one key_store_open makes a new one. */
bool key_store_exists(const char *path);
/* Errors: LOCKED, VERSION, CORRUPT, IO, NO_SPACE, with a sentence in *error (free it). */
MUST_USE enum status key_store_open(const char *path, struct key_store **out, char **error);
void key_store_close(struct key_store **store);
/* key_store_put and key_store_erase only collect changes. key_store_commit writes and syncs all of
 * them together, or none. Errors: IO, NO_SPACE: the store is as before, and the collected changes
 * are dropped. */
void key_store_put(struct key_store *store, struct bytes key, struct bytes value);
void key_store_erase(struct key_store *store, struct bytes key);
MUST_USE enum status key_store_commit(struct key_store *store);
/* Calls each() for all keys that begin with prefix, in ascending order. The views that each() gets
 * are valid until it returns. Errors: CORRUPT, IO: the keys before the failure have been told. */
MUST_USE enum status
key_store_each(struct key_store *store, struct bytes prefix,
               void (*each)(void *context, struct bytes key, struct bytes value), void *context);

#endif
