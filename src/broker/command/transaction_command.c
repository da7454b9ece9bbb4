/* Part of tx (tx.h) and of command (command.h): transactions, and tx.select, commit and rollback.
 */
#include "broker/command/tx.h"

#include "broker/command/command.h"
#include "broker/publish/publish.h"
#include "leveret/base/mem.h"

/* When a transaction keeps so many messages and settlements, added up, the next one fails its
 * channel with PRECONDITION_FAILED. */
#define TX_THINGS_MAX 100000u
/* Bytes that a transaction takes from the account at a time at least, so that few messages need a
 * question. */
#define TX_TAKE_BYTES 65536u

struct tx_message {
    struct message *message;
    bool mandatory;
};

struct tx {
    struct tx_message *messages;
    size_t message_count, message_room;
    struct unsettled_entry *entries;
    settlement **how; /* how[i] ends entries[i] */
    size_t entry_count, entry_room;
    /* Of a commit that goes on in the next call. */
    size_t messages_done, entries_done; /* the first ones of each, which are done */
    uint64_t needed;                    /* the journal's batch that commit-ok waits for, so far */
    bool refused;                       /* true: a queue has refused a message */
    uint64_t bytes;                     /* of what the transaction keeps */
    uint64_t taken_bytes;               /* from the account: bytes or more */
};

bool tx_admits(struct channel *channel, enum command_type command, uint64_t bytes)
{
    struct vhost *vhost = channel->vhost;
    struct tx *tx = channel->tx;
    if (tx->message_count + tx->entry_count >= TX_THINGS_MAX) {
        channel_refuse(channel, command, STATUS_PRECONDITION_FAILED,
                       "a transaction has at most %u messages and acknowledgements", TX_THINGS_MAX);
        return false;
    }
    tx->bytes += bytes;
    if (tx->bytes <= tx->taken_bytes)
        return true;
    uint64_t more = tx->bytes - tx->taken_bytes;
    more = more < TX_TAKE_BYTES ? TX_TAKE_BYTES : more;
    if (holding_take(&vhost->store.holdings, ACCOUNT_TRANSACTIONS, more, "more in a transaction",
                     &vhost->store.call.refusal)) {
        channel_refuse(channel, command, STATUS_PRECONDITION_FAILED, "%s",
                       vhost->store.call.refusal.text);
        return false;
    }
    tx->taken_bytes += more;
    return true;
}

/* The transaction keeps nothing any more: gives its bytes back to the account. */
static void give_back(struct channel *channel)
{
    struct tx *tx = channel->tx;
    holding_give(&channel->vhost->store.holdings, ACCOUNT_TRANSACTIONS, tx->taken_bytes);
    tx->bytes = tx->taken_bytes = 0;
}

void tx_publish(struct channel *channel, struct message *message, bool mandatory)
{
    struct tx *tx = channel->tx;
    channel->vhost->published.not_routed++; /* until it is committed */
    if (!publish_check(channel, message) ||
        !tx_admits(channel, COMMAND_PUBLISH, message_memory(message) + sizeof(struct tx_message)))
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

/* Drops the messages of the transaction, and makes what was acked in it unsettled again. */
static void roll_back(struct channel *channel)
{
    struct tx *tx = channel->tx;
    for (size_t i = 0; i < tx->message_count; i++)
        message_unref(&tx->messages[i].message);
    tx->message_count = tx->messages_done = 0;
    give_back(channel);
    if (channel->vhost->commits.channel == channel)
        channel->vhost->commits.channel = NULL;
    if (tx->entries_done) {
        tx->entry_count -= tx->entries_done;
        memmove(tx->entries, tx->entries + tx->entries_done, tx->entry_count * sizeof *tx->entries);
        tx->entries_done = 0;
    }
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

/* Whether a commit may begin or go on in this call. While another one is half done, and until the
 * journal has got what that one wrote, it waits: what its messages cost is not known before they
 * are routed, so any commit may need several calls. Waiting costs it little, since its answer would
 * have to wait for the same batch. */
static bool commit_may_go(const struct channel *channel)
{
    const struct commits *commits = &channel->vhost->commits;
    return commits->channel == channel || (!commits->channel && !commits->in_turn);
}

/* The commit goes on in another call: it keeps the vhost's batch back until it is done. */
static void commit_hold(struct channel *channel)
{
    struct commits *commits = &channel->vhost->commits;
    commits->channel = channel;
    commits->in_turn = true;
}

/* Does a portion of what the transaction keeps. Returns true when that was the last one. */
static bool commit_some(struct channel *channel)
{
    struct vhost *vhost = channel->vhost;
    struct tx *tx = channel->tx;
    while (tx->messages_done < tx->message_count && call_left(&vhost->store.call, 1)) {
        struct tx_message *publish = &tx->messages[tx->messages_done++];
        tx->refused |=
            !publish_committed(channel, publish->message, publish->mandatory, &tx->needed);
        message_unref(&publish->message);
        call_spend(&vhost->store.call, WORK_PUBLISH);
    }
    while (tx->messages_done == tx->message_count && tx->entries_done < tx->entry_count &&
           call_left(&vhost->store.call, 1)) {
        size_t i = tx->entries_done++;
        tx->how[i](channel, &tx->entries[i]);
        call_spend(&vhost->store.call, WORK_SETTLE);
    }
    return tx->messages_done == tx->message_count && tx->entries_done == tx->entry_count;
}

void command_tx_commit(struct channel *channel, const struct command *command)
{
    if (!check_transactional(channel, command))
        return;
    struct vhost *vhost = channel->vhost;
    struct tx *tx = channel->tx;
    if (!commit_may_go(channel)) {
        channel_goes_on(channel);
        return;
    }
    if (!commit_some(channel)) {
        commit_hold(channel);
        channel_goes_on(channel);
        return;
    }
    bool refused = tx->refused;
    uint64_t needed = tx->needed;
    tx->message_count = tx->messages_done = tx->entry_count = tx->entries_done = 0;
    tx->needed = 0;
    tx->refused = false;
    give_back(channel);
    if (vhost->commits.channel == channel)
        vhost->commits.channel = NULL;
    settle_wake(channel);
    if (refused && !channel->failed) {
        channel_refuse(channel, command->type, STATUS_PRECONDITION_FAILED, "partial tx completion");
        return;
    }
    if (needed < channel_needed(channel))
        needed = channel_needed(channel);
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
