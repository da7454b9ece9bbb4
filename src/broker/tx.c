/* Transactions: publishes and settlements of one channel, kept until commit. Thread: the vhost's
 * owner.
 *
 * Normal course: tx_publish and tx_settle collect; commit does all of it within one call, so all
 * its journal records join one batch; commit-ok leaves when that is on disk. What can go wrong: an
 * exchange that is gone by then makes its messages unroutable; a rollback or the channel's end
 * makes what was acked unsettled again. */
#include "core.h"
#include "leveret/base/mem.h"

struct tx_message {
    struct message *message;
    bool mandatory;
};

struct tx {
    struct tx_message *messages;
    size_t message_count, message_room;
    struct unsettled_entry *entries;
    settlement **how; /* beside entries */
    size_t entry_count, entry_room;
};

void tx_publish(struct channel *channel, struct message *message, bool mandatory)
{
    struct tx *tx = channel->tx;
    if (!publish_check(channel, message))
        return;
    if (tx->message_count == tx->message_room) {
        tx->message_room = tx->message_room ? tx->message_room * 2 : 8;
        tx->messages = mem_need_array(tx->messages, tx->message_room, sizeof *tx->messages);
    }
    tx->messages[tx->message_count++] = (struct tx_message){message_ref(message), mandatory};
}

void tx_settle(struct channel *channel, const struct unsettled_entry *entry, settlement *how)
{
    struct tx *tx = channel->tx;
    if (tx->entry_count == tx->entry_room) {
        tx->entry_room = tx->entry_room ? tx->entry_room * 2 : 8;
        tx->entries = mem_need_array(tx->entries, tx->entry_room, sizeof *tx->entries);
        tx->how = mem_need_array(tx->how, tx->entry_room, sizeof *tx->how);
    }
    tx->entries[tx->entry_count] = *entry;
    tx->how[tx->entry_count++] = how;
}

static int by_tag(const void *a, const void *b)
{
    const struct unsettled_entry *x = a, *y = b;
    return x->tag < y->tag ? -1 : x->tag > y->tag;
}

static void roll_back(struct channel *channel)
{
    struct tx *tx = channel->tx;
    for (size_t i = 0; i < tx->message_count; i++)
        message_unref(&tx->messages[i].message);
    tx->message_count = 0;
    if (tx->entry_count) {
        qsort(tx->entries, tx->entry_count, sizeof *tx->entries, by_tag);
        unsettled_restore(&channel->unsettled, tx->entries, tx->entry_count);
    }
    tx->entry_count = 0;
}

static void tx_destroy(struct tx **tx_at)
{
    struct tx *tx = *tx_at;
    if (!tx)
        return;
    for (size_t i = 0; i < tx->message_count; i++)
        message_unref(&tx->messages[i].message);
    free(tx->messages);
    free(tx->entries);
    free(tx->how);
    free(tx);
    *tx_at = NULL;
}

void tx_free(struct channel *channel)
{
    if (!channel->tx)
        return;
    roll_back(channel);
    tx_destroy(&channel->tx);
}

void tx_pending(const struct channel *channel, uint64_t *messages, uint64_t *acks)
{
    *messages = channel->tx ? channel->tx->message_count : 0;
    *acks = channel->tx ? channel->tx->entry_count : 0;
}

/* ---- Commands. */

void command_tx_select(struct channel *channel, const struct command *command)
{
    if (channel->confirm) {
        channel_refuse(channel, command->type, STATUS_PRECONDITION_FAILED,
                       "cannot switch from confirm to tx mode");
        return;
    }
    if (!channel->tx)
        channel->tx = mem_need(sizeof *channel->tx);
    channel_reply(channel, command);
}

static bool check_transactional(struct channel *channel, const struct command *command)
{
    if (channel->tx)
        return true;
    channel_refuse(channel, command->type, STATUS_PRECONDITION_FAILED,
                   "channel is not transactional");
    return false;
}

void command_tx_commit(struct channel *channel, const struct command *command)
{
    if (!check_transactional(channel, command))
        return;
    struct tx *tx = channel->tx;
    uint64_t needed = 0;
    bool taken = true;
    for (size_t i = 0; i < tx->message_count; i++) {
        struct tx_message *publish = &tx->messages[i];
        taken &= publish_committed(channel, publish->message, publish->mandatory, &needed);
        message_unref(&publish->message);
    }
    tx->message_count = 0;
    for (size_t i = 0; i < tx->entry_count; i++)
        tx->how[i](channel, &tx->entries[i]);
    tx->entry_count = 0;
    channel_settled(channel);
    if (!taken && !channel->failed) {
        channel_refuse(channel, command->type, STATUS_PRECONDITION_FAILED, "partial tx completion");
        return;
    }
    if (needed < vhost_needed(channel->vhost))
        needed = vhost_needed(channel->vhost);
    struct event reply = channel_event(channel, EVENT_REPLY);
    channel_reply_event(channel, command, &reply, needed);
}

void command_tx_rollback(struct channel *channel, const struct command *command)
{
    if (!check_transactional(channel, command))
        return;
    roll_back(channel);
    channel_reply(channel, command);
}
