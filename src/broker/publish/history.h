/* The history of an exchange of type x-recent-history: the last messages that it has routed. A
 * queue or exchange that is bound to it gets them. Thread: the vhost's owner.
 *
 * Normal course: history_keep keeps each message that the exchange routes, and forgets the oldest
 * one when there would be more than x-recent-history-length. When a binding is made, history_replay
 * gives its destination the messages of the history, the oldest first, before the binding is
 * answered.
 *
 * A history is in memory only, so that a publish costs no write: after a restart it is empty.
 *
 * What can go wrong: the histories of the node take as much memory as they may (ACCOUNT_HISTORY).
 * Then the exchange forgets its oldest messages to keep a new one; a message for which even that
 * does not make enough room is not kept. It is routed all the same. */
#ifndef BROKER_HISTORY_H
#define BROKER_HISTORY_H

#include "broker/call/work.h"
#include "broker/topology/exchange.h"
#include "leveret/base/message.h"

struct history;
struct vhost;

/* Makes the history of a new exchange; NULL when the exchange does not have this type. */
struct history *history_new(struct vhost *vhost, const struct exchange *exchange);
/* *history may be NULL. */
void history_free(struct history **history);

/* Keeps a message, unless its header x-recent-history-no-store is true. */
void history_keep(struct history *history, struct message *message);

/* Gives the destination the messages that the history holds at the first call (progress is not
 * under way), a portion in each call; messages that it forgets between two calls are left out.
 * False: there are more, and it is to be called again in a later turn. */
MUST_USE bool history_replay(struct exchange *exchange, struct endpoint *destination,
                             struct progress *progress);

#endif
