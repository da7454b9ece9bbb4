/* Transactions: publishes and settlements of one channel, kept until commit. Thread: the vhost's
 * owner.
 *
 * Normal course: tx_publish and tx_settle collect; commit does all of it within one call, or in
 * portions that have the vhost's batch to themselves, so all its journal records join one batch;
 * commit-ok leaves when that is on disk. What can go wrong: an exchange that is gone by then makes
 * its messages unroutable; a rollback or the channel's end makes what was acked unsettled again. */
#ifndef BROKER_TX_H
#define BROKER_TX_H

#include "broker/command/settle.h"

void tx_publish(struct channel *channel, struct message *message, bool mandatory);
/* Whether the channel's transaction may have one thing more, of so many bytes; else the channel has
 * failed. */
bool tx_admits(struct channel *channel, enum command_type command, uint64_t bytes);
void tx_settle(struct channel *channel, const struct unsettled_entry *entry, settlement *how);
/* The channel ends: what was acked in its transaction, if it has one, becomes unsettled again. */
void tx_free(struct channel *channel);
/* What the channel's transaction holds. */
void tx_pending(const struct channel *channel, uint64_t *messages, uint64_t *acks);

#endif
