/* The last messages of exchanges of type x-recent-history, which each queue or exchange gets that
 * is bound to one. Thread: the vhost's owner.
 *
 * Normal course: a message that such an exchange routes is kept (history_keep), and the oldest goes
 * when there are more than x-recent-history-length. A new binding is given what is kept, in order
 * (history_replay), before its declaration is answered.
 *
 * They are in memory only, so that a publish costs no write: after a restart the exchange begins
 * anew.
 *
 * What can go wrong: the histories of the node take as much memory as they may (ACCOUNT_HISTORY):
 * an exchange forgets its oldest messages for a new one, and does not keep one for which that is
 * not enough. Messages go on meanwhile. */
#ifndef BROKER_HISTORY_H
#define BROKER_HISTORY_H

#include "broker/call/work.h"
#include "broker/topology/exchange.h"
#include "leveret/base/message.h"

struct history;
struct vhost;

/* For an exchange that has been made: its history when it is of the type, else NULL. */
struct history *history_new(struct vhost *vhost, const struct exchange *exchange);
/* *history may be NULL. */
void history_free(struct history **history);

/* Keeps a message, unless its header x-recent-history-no-store is true. */
void history_keep(struct history *history, struct message *message);

/* Gives the destination what the exchange keeps, a portion at a time: what it keeps at the first
 * call (progress is not under way) and has not forgotten since. False: to be called again, in a
 * later turn. */
MUST_USE bool history_replay(struct exchange *exchange, struct endpoint *destination,
                             struct progress *progress);

#endif
