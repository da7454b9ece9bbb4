/* Changes that are checked and not yet stored: see staged.c. Thread: the main thread. */
#ifndef AUTH_STAGED_H
#define AUTH_STAGED_H

#include "directory.h"

#define EVENT_TAGS_SET "user.tags.set"

/* Puts an entry in, under its key, which is a view into it; takes over entry and record. event:
 * what the watcher is told once it has happened; NULL: nothing. */
void staged_put(struct auth *auth, enum entry_kind kind, struct bytes key, void *entry,
                struct text *record, const char *event);
/* Takes the entry of this key out; key is a view into that entry. */
void staged_remove(struct auth *auth, enum entry_kind kind, struct bytes key, const char *event);
/* Sets the limits of a holder; takes over record, and erases it when record is NULL. */
void staged_limits(struct auth *auth, enum limited limited, struct bytes holder, const char *prefix,
                   const int64_t max[LIMITS_EACH], struct text *record);
/* A record that is no entry; takes it over. */
void staged_record(struct auth *auth, const char *key, struct text *record);

/* What will be there when all that is staged has happened; NULL: nothing. */
void *staged_find(const struct auth *auth, enum entry_kind kind, struct bytes key);
/* The entries of a kind that are staged to be put, one after the other, from *at, which begins with
 * 0; NULL: no more. */
void *staged_next(const struct auth *auth, enum entry_kind kind, size_t *at);
/* False: no limits of that holder are staged. */
bool staged_find_limits(const struct auth *auth, enum limited limited, struct bytes holder,
                        int64_t max[LIMITS_EACH]);

/* The end of one change: stores it and makes it so, unless a batch is open, which ends later.
 * Errors: of the store; then nothing has changed. */
MUST_USE enum status staged_end(struct auth *auth);
/* Forgets all that is staged. */
void staged_drop(struct auth *auth);

#endif
