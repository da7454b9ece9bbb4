/* The numbers that the core reports must agree with the ledger. */
#include <stdio.h>
#include <stdlib.h>

#include "leveret/wire/table.h"
#include "sim.h"

static bool certain(const struct copy *copy)
{
    return (copy->place == BROKER && !copy->unsure && !copy->refusable) || copy->place == OUT;
}

/* How many copies must be in queues, how many may be, and the bytes of those that must. */
static void count_copies(uint64_t *least, uint64_t *most, uint64_t *bytes)
{
    *least = *most = *bytes = 0;
    for (unsigned uid = 0; uid < here->message_count; uid++) {
        const struct sim_message *message = &here->messages[uid];
        if (!message->order || !message->targets)
            continue;
        if (!message->resolved)
            *most += 1;
        for (unsigned q = 0; q < here->world.queue_count && message->resolved; q++) {
            const struct copy *copy = &message->copies[q];
            bool is_in = certain(copy) && (!message->due_ms || copy->place == OUT);
            *least += is_in;
            *bytes += is_in ? message->bytes : 0;
            *most += copy->place == BROKER || copy->place == OUT;
        }
    }
}

static uint64_t limit_of(const struct queue_info *info, const char *argument, const char *key)
{
    struct field field;
    uint64_t limit = UINT64_MAX;
    if (table_find(info->arguments, argument, &field))
        limit = (uint64_t)field.value.integer;
    if (table_find(info->effective_definition, key, &field) &&
        (uint64_t)field.value.integer < limit)
        limit = (uint64_t)field.value.integer;
    return limit;
}

static void check_limits(const struct sim_queue *queue, const struct queue_info *info)
{
    uint64_t length = limit_of(info, "x-max-length", "max-length");
    uint64_t bytes = limit_of(info, "x-max-length-bytes", "max-length-bytes");
    if (queue->may_refuse)
        return;
    if (info->messages_ready > length ||
        (info->messages_ready && bytes != UINT64_MAX && info->ready_bytes > bytes))
        sim_fail("%s has %llu messages, %llu bytes, above its limits", queue->name,
                 (unsigned long long)info->messages_ready, (unsigned long long)info->ready_bytes);
}

uint64_t check_room(unsigned q, uint64_t *limit)
{
    struct queue_info info;
    struct field field;
    if (!vhost_find_queue(here->h.vhost, bytes_of_text(here->world.queues[q].name), &info))
        return 0;
    *limit = UINT64_MAX;
    if (table_find(info.arguments, "x-overflow", &field) &&
        !bytes_equal_text(field.value.bytes, "drop-head"))
        *limit = limit_of(&info, "x-max-length", "max-length");
    return info.messages_ready;
}

void check_counts(void)
{
    uint64_t ready = 0, unsettled = 0, bytes = 0, least, most, least_bytes;
    struct vhost_totals totals;
    if (!here->there || here->under_way || here->h.halted)
        return;
    for (unsigned q = 0; q < here->world.queue_count; q++) {
        struct sim_queue *queue = &here->world.queues[q];
        struct queue_info info;
        if (!vhost_find_queue(here->h.vhost, bytes_of_text(queue->name), &info))
            continue;
        if (info.messages_unacknowledged != queue->out + info.messages_dlx)
            sim_fail("%s: %llu unacknowledged, %llu of them dead, not %u", queue->name,
                     (unsigned long long)info.messages_unacknowledged,
                     (unsigned long long)info.messages_dlx, queue->out);
        if (info.consumers != queue->consumers)
            sim_fail("%s: %u consumers, not %u", queue->name, info.consumers, queue->consumers);
        if (info.messages_ready > INT32_MAX || info.messages_persistent > INT32_MAX ||
            info.ready_bytes > INT64_MAX || info.unacknowledged_bytes > INT64_MAX ||
            info.messages_ram > info.messages_ready + info.messages_unacknowledged)
            sim_fail("%s: counts make no sense", queue->name);
        check_sums(queue, &info);
        ready += info.messages_ready;
        unsettled += info.messages_unacknowledged;
        bytes += info.ready_bytes + info.unacknowledged_bytes;
    }
    check_samples();
    vhost_totals(here->h.vhost, &totals);
    if (totals.messages_ready != ready)
        sim_fail("%llu ready in all, %llu in queues", (unsigned long long)totals.messages_ready,
                 (unsigned long long)ready);
    if (totals.messages_unacknowledged < unsettled)
        sim_fail("%llu unsettled in all, %llu in queues",
                 (unsigned long long)totals.messages_unacknowledged, (unsigned long long)unsettled);
    count_copies(&least, &most, &least_bytes);
    if (ready + unsettled < least || ready + unsettled > most)
        sim_fail("%llu messages in queues, should be %llu to %llu",
                 (unsigned long long)ready + unsettled, (unsigned long long)least,
                 (unsigned long long)most);
    if (least != most)
        return;
    sim.sure_checked += least != 0;
    if (bytes != least_bytes)
        sim_fail("%llu bytes of messages in queues, should be %llu", (unsigned long long)bytes,
                 (unsigned long long)least_bytes);
}

void check_quiet(void)
{
    if (!here->there || here->under_way || here->h.halted)
        return;
    sim.quiet_checked++;
    world_look();
    for (unsigned p = 0; p < PEERS; p++)
        for (unsigned c = 1; c <= CHANNELS; c++) {
            const struct sim_channel *channel = &here->channels[p][c];
            if (channel->open && channel->confirm && !channel->failed &&
                channel->answered != channel->published.count)
                sim_fail("%c%u: %u published, %llu answered", (char)('A' + p), c,
                         channel->published.count, (unsigned long long)channel->answered);
            if (channel->committing && !channel->failed)
                sim_fail("%c%u: no answer to a commit", (char)('A' + p), c);
            if (channel->gets)
                sim_fail("%c%u: no answer to a get", (char)('A' + p), c);
            if (channel->open && channel->unanswered && !channel->failed)
                sim_fail("%c%u: %u commands without an answer, the last of type %d",
                         (char)('A' + p), c, channel->unanswered, channel->last_asked);
        }
    for (unsigned q = 0; q < here->world.queue_count; q++) {
        struct queue_info info;
        if (!vhost_find_queue(here->h.vhost, bytes_of_text(here->world.queues[q].name), &info))
            continue;
        check_limits(&here->world.queues[q], &info);
        if (info.stalled || info.failed)
            sim_fail("%s is stalled or has failed", here->world.queues[q].name);
    }
    check_counts();
}

static unsigned definitions;

static void on_definition(void *context, struct bytes key, struct bytes value)
{
    (void)context;
    (void)value;
    definitions++;
    sim_trail("left: definition '%c' of %zu bytes", key.at[0], key.len);
}

static void *on_lane(void *context, uint64_t id, struct journal_lane *lane, uint64_t delivered)
{
    (void)lane;
    (void)delivered;
    definitions += 100;
    sim_trail("left: lane %llu", (unsigned long long)id);
    return context;
}

static void on_chunk(void *context, uint64_t chunk, const uint64_t live[JOURNAL_CHUNK_WORDS],
                     uint64_t bytes, bool any_expires)
{
    (void)context, (void)chunk, (void)live, (void)bytes, (void)any_expires;
}

/* After drain: each message is accounted for, and nothing is left, in memory or on disk. */
void check_nothing_left(void)
{
    for (unsigned uid = 0; uid < here->message_count; uid++) {
        const struct sim_message *message = &here->messages[uid];
        if (!message->order)
            continue;
        if (!message->resolved && message->targets && !message->copies[0].unsure) {
            bool lossless = true;
            for (unsigned q = 0; q < here->world.queue_count; q++)
                if (message->targets & MASK(q))
                    lossless &= here->world.queues[q].lossless && !here->world.queues[q].may_refuse;
            if (lossless)
                sim_fail("message %u is lost: no queue had it", uid);
        }
        for (unsigned q = 0; q < here->world.queue_count && message->resolved; q++)
            if ((message->targets & MASK(q)) && certain(&message->copies[q]))
                sim_fail("message %u is lost: it was to be in %x", uid, message->copies[q].at);
    }
    world_clear();
    harness_sync(&here->h);
    pass(0); /* identifiers are erased in portions */
    harness_sync(&here->h);
    struct vhost_totals totals;
    vhost_totals(here->h.vhost, &totals);
    if (totals.queues || totals.bindings || totals.messages_ready || totals.messages_unacknowledged)
        sim_fail("%llu queues, %llu bindings, %llu and %llu messages are left",
                 (unsigned long long)totals.queues, (unsigned long long)totals.bindings,
                 (unsigned long long)totals.messages_ready,
                 (unsigned long long)totals.messages_unacknowledged);
    if (vhost_resident_bytes(here->h.vhost))
        sim_fail("%zu bytes of messages are left", vhost_resident_bytes(here->h.vhost));
    struct journal_callbacks callbacks = {0};
    struct journal_recovery recovery = {NULL, on_definition, on_lane, on_chunk};
    struct journal *journal = journal_memory_new(here->h.disk, &callbacks, false);
    char *error = NULL;
    definitions = 0;
    ck_assert_int_eq(journal_recover(journal, &recovery, &error), STATUS_OK);
    journal_free(&journal);
    if (definitions > 1) /* the highest lane id in use */
        sim_fail("%u definitions are left", definitions);
}
