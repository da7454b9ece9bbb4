/* Changes that are checked and not yet stored: see staged.c. Thread: the main thread. */
#ifndef AUTH_STAGED_H
#define AUTH_STAGED_H

#include "directory.h"

#define EVENT_TAGS_SET "user.tags.set"

/* Stages an entry under its key, which is a view into the entry; takes over entry and record.
 * event: what the watcher is told after the change; NULL: nothing. */
void staged_put(struct auth *auth, enum entry_kind kind, struct bytes key, void *entry,
                struct text *record, const char *event);
/* Stages the removal of the entry with this key; key is a view into that entry. */
void staged_remove(struct auth *auth, enum entry_kind kind, struct bytes key, const char *event);
/* Stages the limits of a holder; takes over record. With record NULL the stored record
 * is erased. */
void staged_limits(struct auth *auth, enum limited limited, struct bytes holder, const char *prefix,
                   const int64_t max[LIMITS_EACH], struct text *record);
/* Stages a record that belongs to no entry; takes it over. */
void staged_record(struct auth *auth, const char *key, struct text *record);

/* The entry that this key will have after all that is staged; NULL: none. */
void *staged_find(const struct auth *auth, enum entry_kind kind, struct bytes key);
/* The next entry of a kind that is staged to be put; *at is 0 at first. NULL: no more. */
void *staged_next(const struct auth *auth, enum entry_kind kind, size_t *at);
/* Returns false when no limits of that holder are staged. */
bool staged_find_limits(const struct auth *auth, enum limited limited, struct bytes holder,
                        int64_t max[LIMITS_EACH]);

/* Ends one change: stores it and puts it into the directory, unless a batch is open, which does
 * that at its end. Errors: those of the store; then nothing has changed. */
MUST_USE enum status staged_end(struct auth *auth);
/* Forgets all that is staged. */
void staged_drop(struct auth *auth);

#endif
