/* What a vhost holds for clients besides messages, told to the node's account by kind: consumers,
 * bindings, hash rings, definitions, open transactions, identifiers of messages. Thread: the
 * vhost's owner.
 *
 * Normal course: what is to be made is counted first (holding_take) and refused when the account
 * has no room for more of its kind; what goes is given back. What comes back from the journal is
 * counted without asking, so that a start succeeds whatever the limits are. The sizes are what
 * things take with their places in maps and lists, by estimate, and the same at both times. */
#ifndef BROKER_HOLDING_H
#define BROKER_HOLDING_H

#include "broker/call/refusal.h"
#include "leveret/base/account.h"

struct holdings {
    struct account *account;            /* not owned; NULL: nothing is counted or refused */
    uint64_t bytes[ACCOUNT_KIND_COUNT]; /* told to the account, by kind */
    bool unlimited;                     /* true during recovery: nothing is refused */
};

/* Bytes that an object of a kind takes beside what its own struct and contents do: places in maps,
 * rosters, lists. */
#define HOLDING_PLACES 200u

/* Counts bytes of a kind. Errors: PRECONDITION_FAILED, with a text that names what they are for. */
MUST_USE enum status holding_take(struct holdings *holdings, enum account_kind kind, uint64_t bytes,
                                  const char *what, struct refusal *refusal);
/* Counts without asking: the caller keeps to the limit in another way. */
void holding_add(struct holdings *holdings, enum account_kind kind, uint64_t bytes);
void holding_give(struct holdings *holdings, enum account_kind kind, uint64_t bytes);
/* Gives back all that is still held; for vhost_free. */
void holding_end(struct holdings *holdings);

#endif
