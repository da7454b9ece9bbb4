/* Transactions: publishes and settlements of one channel, kept until commit. Thread: the vhost's
 * owner.
 *
 * Normal course: tx_publish and tx_settle collect what the client does; tx.commit does all of it in
 * one call, or in portions during which the vhost's batch is not given to the journal, so that all
 * its records are in one batch; commit-ok is sent when that batch is on disk. What can go wrong: an
 * exchange is deleted before the commit: its messages have no route. The client rolls back, or the
 * channel ends: the messages are dropped, and what was acked is unsettled again. The transaction
 * takes more memory than it may: the channel fails. */
#ifndef BROKER_TX_H
#define BROKER_TX_H

#include "broker/command/settle.h"

/* Keeps a message (takes a reference), or fails the channel when it cannot be published. */
void tx_publish(struct channel *channel, struct message *message, bool mandatory);
/* Whether the channel's transaction may keep one more message or settlement of so many bytes; if
 * not, the channel has failed. */
bool tx_admits(struct channel *channel, enum command_type command, uint64_t bytes);
/* Keeps a settlement. The caller asks tx_admits before, once for each command. */
void tx_settle(struct channel *channel, const struct unsettled_entry *entry, settlement *how);
/* The channel ends: rolls its transaction back, if it has one, and frees it. */
void tx_free(struct channel *channel);
/* How many messages and settlements the channel's transaction keeps; 0 without a transaction. */
void tx_pending(const struct channel *channel, uint64_t *messages, uint64_t *acks);

#endif
