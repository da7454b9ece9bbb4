/* The memory that a vhost uses for clients besides messages, reported to the node's account by
 * kind: consumers, bindings, hash rings, definitions, open transactions, identifiers of messages.
 * Thread: the vhost's owner.
 *
 * Normal course: before an object is made its bytes are counted (holding_take), and the object is
 * refused when the account has no room for more of its kind; when the object is removed its bytes
 * are given back. Objects that recovery restores are counted without asking, so that a start
 * succeeds whatever the limits are. The size of an object is an estimate that includes its places
 * in maps and lists; the same size is counted and given back. */
#ifndef BROKER_HOLDING_H
#define BROKER_HOLDING_H

#include "broker/call/refuse.h"
#include "leveret/base/account.h"

struct holdings {
    struct account *account;            /* not owned; NULL: nothing is counted or refused */
    uint64_t bytes[ACCOUNT_KIND_COUNT]; /* counted in the account for this vhost, by kind */
    bool unlimited;                     /* true during recovery: holding_take refuses nothing */
};

/* Bytes counted for an object besides its own struct and contents: its places in maps, rosters and
 * lists. */
#define HOLDING_PLACES 200u

/* Counts bytes of a kind for a new object; what: its name in the text of a refusal. Errors:
 * PRECONDITION_FAILED, with nothing counted. */
MUST_USE enum status holding_take(struct holdings *holdings, enum account_kind kind, uint64_t bytes,
                                  const char *what, struct refusal *refusal);
/* Counts without asking: the caller keeps to the limit in another way. */
void holding_add(struct holdings *holdings, enum account_kind kind, uint64_t bytes);
/* Gives back bytes that were counted before. */
void holding_give(struct holdings *holdings, enum account_kind kind, uint64_t bytes);
/* Gives back all bytes that are still counted; for vhost_free. */
void holding_end(struct holdings *holdings);

#endif
