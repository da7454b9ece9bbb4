/* The model that random conversations with a vhost are compared with: what each queue must hold,
 * and what each channel has open. */
#ifndef TESTS_CORE_RANDOM_MODEL_H
#define TESTS_CORE_RANDOM_MODEL_H

#include <stdio.h>
#include <stdlib.h>

#include "core_harness.h"
#include "leveret/base/check.h"
#include "leveret/base/mem.h"
#include "leveret/base/number.h"
#include "leveret/base/random.h"
#include "leveret/wire/table.h"

#define QUEUES   5u /* the first three are durable */
#define DURABLE  3u
#define PEERS    2u
#define CHANNELS 3u                  /* of each peer */
#define EXPIRING (1u << 2 | 1u << 4) /* queues whose messages may expire */

#ifdef HARNESS_LEVELDB
#define STEPS 10000
#else
#define STEPS 100000
#endif

/* For conditions that are checked very often: ck_assert would write to a file each time. */
#define MUST(condition)                                                                            \
    do {                                                                                           \
        if (!(condition))                                                                          \
            ck_abort_msg("%s", #condition);                                                        \
    } while (0)

enum item_state { READY, UNSETTLED, SETTLED, LOST };

struct item {
    uint8_t state;
    bool persistent, confirmed, delivered, settled_synced, lost;
    uint64_t expires_ms; /* 0: never */
};

struct model_queue {
    struct item *items;
    unsigned count, room, low, ready, unsettled; /* low: no message below it is ready */
};

struct handle {
    uint64_t tag;
    unsigned queue, item;
    bool gone, requeue; /* true: its queue was deleted; the open transaction requeues it */
};

struct published {
    unsigned queue, item;
    bool routed, open;
};

struct place {
    unsigned queue, item;
};

struct places {
    struct place *at;
    unsigned count, room;
};

/* A commit whose commit-ok has not come. */
struct commit {
    struct model_channel *channel; /* NULL: it was closed */
    struct places published, acked;
};

struct model_channel {
    bool open, tx;
    struct handle *tx_handles; /* deliveries that the open transaction settles */
    unsigned tx_handle_count, tx_handle_room;
    struct places tx_published; /* the queue, and the number in tokens that the body has */
    bool tx_requeues;
    struct handle *handles;
    unsigned handle_count, handle_room;
    struct published *published; /* by sequence number - 1 */
    uint64_t publish_count, publish_room, confirmed;
    uint64_t last_tag;
    unsigned gets; /* gets that have no answer yet */
    bool consuming[QUEUES];
};

static struct harness h;
static struct random_stream stream;
static struct model_queue queues[QUEUES];
static struct model_channel channels[PEERS][CHANNELS + 1];
static uint64_t owed[PEERS]; /* delivered bytes that have not been given back as credit */
static bool surveying;       /* true after a restart: deliveries are learned, not checked */
static unsigned survey_queue, survey_last;
static bool survey_any;
static bool failing; /* true while a command is done that must fail */
/* The places of messages that were published in a transaction. A place is known only at the commit,
 * so the body of such a message has the index of its place in this array. */
static struct places tokens;
static struct commit *commits;
static unsigned commit_count, commit_room;
static unsigned long commits_answered;
static unsigned long delivered_events, crashes;

static inline unsigned pick(unsigned n)
{
    return (unsigned)(random_next(&stream) % n);
}

static inline void name_of(unsigned queue, char name[8])
{
    snprintf(name, 8, "q%u", queue);
}

static inline void who_of(unsigned peer, unsigned channel, char who[8])
{
    snprintf(who, 8, "%c%u", (char)('A' + peer), channel);
}

/* ---- The model. */

static inline unsigned add_item(unsigned q, bool persistent)
{
    struct model_queue *queue = &queues[q];
    if (queue->count == queue->room) {
        queue->room = queue->room ? queue->room * 2 : 64;
        queue->items = mem_need_array(queue->items, queue->room, sizeof *queue->items);
    }
    queue->items[queue->count] = (struct item){.state = READY, .persistent = persistent};
    queue->ready++;
    return queue->count++;
}

static inline void set_state(unsigned q, unsigned index, enum item_state state)
{
    struct model_queue *queue = &queues[q];
    struct item *item = &queue->items[index];
    queue->ready -= item->state == READY;
    queue->unsettled -= item->state == UNSETTLED;
    item->state = (uint8_t)state;
    queue->ready += state == READY;
    queue->unsettled += state == UNSETTLED;
    if (state == READY && index < queue->low)
        queue->low = index;
}

static inline bool expired(const struct item *item)
{
    return item->expires_ms && item->expires_ms <= h.now.wall_ms;
}

static inline unsigned first_ready(unsigned q)
{
    struct model_queue *queue = &queues[q];
    while (queue->low < queue->count && queue->items[queue->low].state != READY)
        queue->low++;
    return queue->low;
}

/* Messages at the head, below limit, that have expired are gone. */
static inline void expire(unsigned q, unsigned limit)
{
    unsigned first;
    while ((first = first_ready(q)) < limit && expired(&queues[q].items[first]))
        set_state(q, first, SETTLED);
}

static inline void add_handle(struct model_channel *channel, uint64_t tag, unsigned q,
                              unsigned index)
{
    if (channel->handle_count == channel->handle_room) {
        channel->handle_room = channel->handle_room ? channel->handle_room * 2 : 64;
        channel->handles =
            mem_need_array(channel->handles, channel->handle_room, sizeof *channel->handles);
    }
    channel->handles[channel->handle_count++] =
        (struct handle){.tag = tag, .queue = q, .item = index};
}

static inline void end_handle(struct model_channel *channel, unsigned at, bool requeue)
{
    struct handle handle = channel->handles[at];
    memmove(channel->handles + at, channel->handles + at + 1,
            (channel->handle_count - at - 1) * sizeof *channel->handles);
    channel->handle_count--;
    if (!handle.gone)
        set_state(handle.queue, handle.item, requeue ? READY : SETTLED);
}

static inline void requeue_all(struct model_channel *channel)
{
    while (channel->handle_count)
        end_handle(channel, channel->handle_count - 1, true);
}

/* ---- Transactions. */

static inline unsigned add_place(struct places *places, unsigned queue, unsigned item)
{
    if (places->count == places->room) {
        places->room = places->room ? places->room * 2 : 8;
        places->at = mem_need_array(places->at, places->room, sizeof *places->at);
    }
    places->at[places->count] = (struct place){queue, item};
    return places->count++;
}

static inline struct item *item_at(const struct place *place)
{
    return &queues[place->queue].items[place->item];
}

/* Moves a handle into the transaction; its message stays unsettled until the commit. */
static inline void tx_take(struct model_channel *channel, unsigned at, bool requeue)
{
    if (channel->tx_handle_count == channel->tx_handle_room) {
        channel->tx_handle_room = channel->tx_handle_room ? channel->tx_handle_room * 2 : 8;
        channel->tx_handles = mem_need_array(channel->tx_handles, channel->tx_handle_room,
                                             sizeof *channel->tx_handles);
    }
    struct handle *taken = &channel->tx_handles[channel->tx_handle_count++];
    *taken = channel->handles[at];
    taken->requeue = requeue;
    channel->tx_requeues |= requeue;
    channel->handle_count--;
    memmove(channel->handles + at, channel->handles + at + 1,
            (channel->handle_count - at) * sizeof *channel->handles);
}

static inline int by_tag(const void *a, const void *b)
{
    const struct handle *x = a, *y = b;
    return x->tag < y->tag ? -1 : x->tag > y->tag;
}

static inline void tx_forget(struct model_channel *channel)
{
    for (unsigned i = 0; i < channel->tx_handle_count; i++) {
        const struct handle *handle = &channel->tx_handles[i];
        add_handle(channel, handle->tag, handle->queue, handle->item);
        channel->handles[channel->handle_count - 1].gone = handle->gone;
    }
    if (channel->tx_handle_count)
        qsort(channel->handles, channel->handle_count, sizeof *channel->handles, by_tag);
    channel->tx_handle_count = channel->tx_published.count = 0;
    channel->tx_requeues = false;
}

/* The channel ends: its deliveries go back, as the core gives them back. */
static inline void give_back(struct model_channel *channel)
{
    tx_forget(channel);
    requeue_all(channel);
}

static inline void add_commit(struct model_channel *channel)
{
    if (commit_count == commit_room) {
        commit_room = commit_room ? commit_room * 2 : 8;
        commits = mem_need_array(commits, commit_room, sizeof *commits);
    }
    struct commit *commit = &commits[commit_count++];
    *commit = (struct commit){.channel = channel};
    for (unsigned i = 0; i < channel->tx_published.count; i++) {
        const struct place *published = &channel->tx_published.at[i];
        struct place *token = &tokens.at[published->item];
        token->item = add_item(published->queue, token->item);
        add_place(&commit->published, published->queue, token->item);
    }
    for (unsigned i = 0; i < channel->tx_handle_count; i++) {
        const struct handle *handle = &channel->tx_handles[i];
        if (handle->gone)
            continue;
        set_state(handle->queue, handle->item, handle->requeue ? READY : SETTLED);
        if (!handle->requeue)
            add_place(&commit->acked, handle->queue, handle->item);
    }
    channel->tx_handle_count = channel->tx_published.count = 0;
    channel->tx_requeues = false;
}

static inline void remove_commit(unsigned at)
{
    free(commits[at].published.at);
    free(commits[at].acked.at);
    commit_count--;
    memmove(commits + at, commits + at + 1, (commit_count - at) * sizeof *commits);
}

/* The commit is on disk: its messages must not get lost, and messages that it acked must not come
 * back. */
static inline void commit_synced(unsigned at)
{
    for (unsigned i = 0; i < commits[at].published.count; i++)
        item_at(&commits[at].published.at[i])->confirmed = true;
    for (unsigned i = 0; i < commits[at].acked.count; i++)
        item_at(&commits[at].acked.at[i])->settled_synced = true;
    remove_commit(at);
}

static inline bool is_committing(const struct model_channel *channel)
{
    for (unsigned i = 0; i < commit_count; i++)
        if (commits[i].channel == channel)
            return true;
    return false;
}

static inline void commit_answered(const struct model_channel *channel)
{
    unsigned at = 0;
    while (at < commit_count && commits[at].channel != channel)
        at++;
    MUST(at < commit_count);
    commits_answered++;
    commit_synced(at);
}

/* Before a crash: of the messages that an unanswered commit published, keeps those that are ready
 * and persistent. After the crash all of them are there when the commit is on disk, and none when
 * it is not. */
static inline void commits_keep_live(void)
{
    for (struct commit *commit = commits; commit < commits + commit_count; commit++) {
        unsigned kept = 0;
        for (unsigned i = 0; i < commit->published.count; i++) {
            struct place place = commit->published.at[i];
            if (item_at(&place)->state == READY && item_at(&place)->persistent)
                commit->published.at[kept++] = place;
        }
        commit->published.count = kept;
    }
}

/* After the crash, when all messages that are there have been delivered: of a commit all these
 * messages are lost or none is, and all are lost when a message that it acked came back. */
static inline void commits_check(void)
{
    while (commit_count) {
        const struct commit *commit = &commits[commit_count - 1];
        unsigned lost = 0, returned = 0;
        for (unsigned i = 0; i < commit->published.count; i++)
            lost += item_at(&commit->published.at[i])->lost;
        for (unsigned i = 0; i < commit->acked.count; i++)
            returned += item_at(&commit->acked.at[i])->state != SETTLED;
        MUST(lost == 0 || lost == commit->published.count);
        MUST(returned == 0 || lost == commit->published.count);
        remove_commit(commit_count - 1);
    }
}

static inline void end_channel(struct model_channel *channel)
{
    give_back(channel);
    for (unsigned i = 0; i < commit_count; i++)
        if (commits[i].channel == channel)
            commits[i].channel = NULL;
    free(channel->tx_handles);
    free(channel->tx_published.at);
    free(channel->handles);
    free(channel->published);
    *channel = (struct model_channel){0};
}

#endif
