/* See leveret/journal/journal_memory.h.
 *
 * Normal course. Each call becomes an operation of the filling batch. A call that adds or settles a
 * message also changes the lane's own shelf, from which pages are read. journal_flush hands the
 * batch over, journal_memory_sync applies its operations to the disk, and journal_poll reports.
 *
 * What can go wrong: what a test asks for. After journal_memory_fail a batch stays in flight until
 * the failure is ended. After journal_memory_fail_pages page-outs are reported as failed, and pages
 * are not reported. */
#include "leveret/journal/journal_memory.h"

#include "journal/memory/counts.h"
#include "journal/memory/shelf.h"
#include "journal/slots.h"
#include "leveret/base/check.h"
#include "leveret/base/mem.h"
#include "leveret/base/text.h"

/* ---- The disk. */

struct disk_lane {
    struct disk_lane *next;
    uint64_t id, delivered;
    struct shelf shelf;
    struct counts counts;
};

struct definition {
    struct definition *next;
    struct text key, value;
};

struct journal_memory_disk {
    struct disk_lane *lanes;        /* in the order of their first use */
    struct definition *definitions; /* in the order of their first put */
};

struct journal_memory_disk *journal_memory_disk_new(void)
{
    return mem_need(sizeof(struct journal_memory_disk));
}

static void disk_lane_free(struct disk_lane *lane)
{
    shelf_free(&lane->shelf);
    counts_free(&lane->counts);
    free(lane);
}

static void definition_free(struct definition *definition)
{
    text_free(&definition->key);
    text_free(&definition->value);
    free(definition);
}

void journal_memory_disk_free(struct journal_memory_disk **disk)
{
    struct journal_memory_disk *d = *disk;
    *disk = NULL;
    if (!d)
        return;
    while (d->lanes) {
        struct disk_lane *lane = d->lanes;
        d->lanes = lane->next;
        disk_lane_free(lane);
    }
    while (d->definitions) {
        struct definition *definition = d->definitions;
        d->definitions = definition->next;
        definition_free(definition);
    }
    free(d);
}

static struct disk_lane *disk_lane(struct journal_memory_disk *disk, uint64_t id)
{
    struct disk_lane **at = &disk->lanes;
    while (*at && (*at)->id != id)
        at = &(*at)->next;
    if (!*at) {
        *at = mem_need(sizeof **at);
        (*at)->id = id;
    }
    return *at;
}

static void disk_drop_lane(struct journal_memory_disk *disk, uint64_t id)
{
    struct disk_lane **at = &disk->lanes;
    while (*at && (*at)->id != id)
        at = &(*at)->next;
    if (!*at)
        return;
    struct disk_lane *lane = *at;
    *at = lane->next;
    disk_lane_free(lane);
}

static struct definition **disk_find(struct journal_memory_disk *disk, struct bytes key)
{
    struct definition **at = &disk->definitions;
    while (*at && !bytes_equal(text_bytes(&(*at)->key), key))
        at = &(*at)->next;
    return at;
}

/* ---- The journal. */

enum operation_kind { OP_PUT, OP_ERASE, OP_APPEND, OP_SETTLE, OP_DELIVERED, OP_DROP };

struct operation {
    enum operation_kind kind;
    uint64_t lane_id;
    struct journal_entry entry; /* OP_APPEND; entry.seq also for OP_SETTLE and OP_DELIVERED */
    struct text key, value;     /* OP_PUT, OP_ERASE */
};

struct memory_batch {
    struct operation *ops;
    size_t count, room;
    uint64_t bytes;
};

struct journal_lane {
    struct journal_lane *next;
    uint64_t id;
    struct shelf shelf;           /* messages appended or paged out, and not settled */
    struct counts durable, paged; /* the sizes of those appended; of those paged out */
};

/* Something to be reported about a chunk: that it is paged out, or its page. */
struct result {
    struct result *next;
    bool paged_out;                    /* it is a page-out, not a page */
    bool stalled;                      /* stalled() was called for it */
    uint64_t out[JOURNAL_CHUNK_WORDS]; /* of a page-out: the slots that it has stored */
    struct journal_page page;          /* its entries are filled in when it is reported */
};

struct memory_journal {
    struct journal head;
    struct journal_memory_disk *disk;
    struct journal_callbacks callbacks;
    bool automatic;
    bool in_flight;  /* flying has been handed over and not been written */
    bool health_due; /* failing has changed, and health() was not called yet */
    bool awaited;    /* an answer waits for the filling batch */
    enum status failing, pages_failing;
    uint64_t filling_number, committed, reported;
    struct memory_batch filling, flying;
    struct journal_lane *lanes;
    struct result *results, **results_end;
};

static struct memory_journal *self_of(struct journal *journal)
{
    return (struct memory_journal *)journal;
}

static const struct memory_journal *self_of_const(const struct journal *journal)
{
    return (const struct memory_journal *)journal;
}

static struct operation *add_operation(struct journal *journal, enum operation_kind kind)
{
    struct memory_batch *batch = &self_of(journal)->filling;
    if (batch->count == batch->room) {
        batch->room = batch->room ? batch->room * 2 : 16;
        batch->ops = mem_need_array(batch->ops, batch->room, sizeof *batch->ops);
    }
    struct operation *op = &batch->ops[batch->count++];
    *op = (struct operation){.kind = kind};
    return op;
}

static void memory_batch_clear(struct memory_batch *batch)
{
    for (size_t i = 0; i < batch->count; i++) {
        message_unref(&batch->ops[i].entry.message);
        text_free(&batch->ops[i].key);
        text_free(&batch->ops[i].value);
    }
    batch->count = 0;
    batch->bytes = 0;
}

static void memory_put(struct journal *journal, struct bytes key, struct bytes value)
{
    struct operation *op = add_operation(journal, OP_PUT);
    text_add_bytes(&op->key, key);
    text_add_bytes(&op->value, value);
}

static void memory_erase(struct journal *journal, struct bytes key)
{
    text_add_bytes(&add_operation(journal, OP_ERASE)->key, key);
}

static struct journal_lane *memory_lane_new(struct journal *journal, uint64_t lane_id)
{
    struct memory_journal *j = self_of(journal);
    struct journal_lane *lane = mem_need(sizeof *lane);
    lane->id = lane_id;
    lane->next = j->lanes;
    j->lanes = lane;
    return lane;
}

static void free_lane(struct journal_lane *lane)
{
    shelf_free(&lane->shelf);
    counts_free(&lane->durable);
    counts_free(&lane->paged);
    free(lane);
}

static void memory_lane_drop(struct journal *journal, struct journal_lane **lane)
{
    struct memory_journal *j = self_of(journal);
    struct journal_lane *dropped = *lane;
    *lane = NULL;
    if (!dropped)
        return;
    add_operation(journal, OP_DROP)->lane_id = dropped->id;
    struct journal_lane **at = &j->lanes;
    while (*at != dropped)
        at = &(*at)->next;
    *at = dropped->next;
    for (struct result *result = j->results; result; result = result->next)
        if (result->page.lane == dropped)
            result->page.lane = NULL;
    free_lane(dropped);
}

static void memory_append(struct journal *journal, struct journal_lane *lane, uint64_t seq,
                          uint64_t expires_ms, struct message *message)
{
    CHECK(lane->shelf.end == 0 || lane->shelf.at[lane->shelf.end - 1].seq < seq);
    struct operation *op = add_operation(journal, OP_APPEND);
    op->lane_id = lane->id;
    op->entry = (struct journal_entry){seq, expires_ms, message_ref(message)};
    self_of(journal)->filling.bytes += message_memory(message);
    shelf_add(&lane->shelf, &op->entry);
    counts_add(&lane->durable, seq, message->body_bytes);
}

static void memory_settle(struct journal *journal, struct journal_lane *lane, uint64_t seq)
{
    struct operation *op = add_operation(journal, OP_SETTLE);
    op->lane_id = lane->id;
    op->entry.seq = seq;
    shelf_remove(&lane->shelf, seq);
    if (!counts_remove(&lane->durable, seq))
        counts_remove(&lane->paged, seq);
}

static uint64_t memory_body_bytes(struct journal *journal, struct journal_lane *lane, uint64_t seq)
{
    (void)journal;
    uint64_t bytes = 0;
    if (!counts_find(&lane->durable, seq, &bytes))
        counts_find(&lane->paged, seq, &bytes);
    return bytes;
}

static void memory_delivered(struct journal *journal, struct journal_lane *lane, uint64_t seq)
{
    struct operation *op = add_operation(journal, OP_DELIVERED);
    op->lane_id = lane->id;
    op->entry.seq = seq;
}

static struct result *add_result(struct journal *journal, struct journal_lane *lane, uint64_t chunk)
{
    struct memory_journal *j = self_of(journal);
    struct result *result = mem_need(sizeof *result);
    result->page.lane = lane;
    result->page.chunk = chunk;
    *j->results_end = result;
    j->results_end = &result->next;
    return result;
}

static void memory_page_out(struct journal *journal, struct journal_lane *lane, uint64_t chunk,
                            const struct journal_entry *entries, size_t count)
{
    struct result *result = add_result(journal, lane, chunk);
    result->paged_out = true;
    for (size_t i = 0; i < count; i++) {
        CHECK(entries[i].seq / JOURNAL_CHUNK_SLOTS == chunk);
        shelf_add(&lane->shelf, &entries[i]);
        counts_add(&lane->paged, entries[i].seq, entries[i].message->body_bytes);
        slots_add(result->out, (unsigned)(entries[i].seq % JOURNAL_CHUNK_SLOTS));
    }
}

static void memory_page_in(struct journal *journal, struct journal_lane *lane, uint64_t chunk)
{
    add_result(journal, lane, chunk);
}

static uint64_t memory_filling(const struct journal *journal)
{
    return self_of_const(journal)->filling_number;
}

static uint64_t memory_await(struct journal *journal)
{
    struct memory_journal *j = self_of(journal);
    j->awaited = true;
    return j->filling_number;
}

static uint64_t memory_committed(const struct journal *journal)
{
    return self_of_const(journal)->committed;
}

static uint64_t memory_unwritten_bytes(const struct journal *journal)
{
    const struct memory_journal *j = self_of_const(journal);
    return j->filling.bytes + j->flying.bytes;
}

static void memory_flush(struct journal *journal)
{
    struct memory_journal *j = self_of(journal);
    if (j->in_flight || (j->filling.count == 0 && !j->awaited))
        return;
    j->awaited = false;
    if (j->filling.count == 0) {
        j->committed = j->filling_number++;
        return;
    }
    struct memory_batch empty = j->flying; /* it was cleared, and its memory is used again */
    j->flying = j->filling;
    j->filling = empty;
    j->in_flight = true;
    j->filling_number++;
    if (j->automatic)
        journal_memory_sync(journal);
}

static void apply(struct journal_memory_disk *disk, struct operation *op)
{
    struct definition **at;
    struct disk_lane *lane = op->kind >= OP_APPEND ? disk_lane(disk, op->lane_id) : NULL;
    switch (op->kind) {
    case OP_PUT:
        at = disk_find(disk, text_bytes(&op->key));
        if (!*at) {
            *at = mem_need(sizeof **at);
            text_add_bytes(&(*at)->key, text_bytes(&op->key));
        }
        (*at)->value.len = 0;
        text_add_bytes(&(*at)->value, text_bytes(&op->value));
        break;
    case OP_ERASE:
        at = disk_find(disk, text_bytes(&op->key));
        if (*at) {
            struct definition *gone = *at;
            *at = gone->next;
            definition_free(gone);
        }
        break;
    case OP_APPEND:
        shelf_add(&lane->shelf, &op->entry);
        counts_add(&lane->counts, op->entry.seq, op->entry.message->body_bytes);
        break;
    case OP_SETTLE:
        shelf_remove(&lane->shelf, op->entry.seq);
        counts_remove(&lane->counts, op->entry.seq);
        break;
    case OP_DELIVERED:
        if (lane->delivered < op->entry.seq)
            lane->delivered = op->entry.seq;
        break;
    case OP_DROP:
        disk_drop_lane(disk, op->lane_id);
        break;
    }
}

void journal_memory_sync(struct journal *journal)
{
    struct memory_journal *j = self_of(journal);
    if (!j->in_flight || j->failing != STATUS_OK)
        return;
    for (size_t i = 0; i < j->flying.count; i++)
        apply(j->disk, &j->flying.ops[i]);
    memory_batch_clear(&j->flying);
    j->in_flight = false;
    j->committed = j->filling_number - 1;
}

void journal_memory_fail(struct journal *journal, enum status status)
{
    struct memory_journal *j = self_of(journal);
    if (j->failing == status)
        return;
    j->failing = status;
    j->health_due = true;
    if (j->automatic)
        journal_memory_sync(journal);
}

void journal_memory_fail_pages(struct journal *journal, enum status status)
{
    self_of(journal)->pages_failing = status;
}

static void report_paged_out(struct memory_journal *j, struct result *result)
{
    struct journal_lane *lane = result->page.lane;
    enum status status = j->pages_failing;
    for (unsigned slot = 0; slot < JOURNAL_CHUNK_SLOTS && status; slot++) {
        uint64_t seq = result->page.chunk * JOURNAL_CHUNK_SLOTS + slot;
        if (slots_has(result->out, slot) && counts_remove(&lane->paged, seq))
            shelf_remove(&lane->shelf, seq);
    }
    j->callbacks.paged_out(j->callbacks.context, lane, result->page.chunk, status);
}

static void report_page(struct memory_journal *j, struct result *result)
{
    struct journal_page *page = &result->page;
    const struct shelf *shelf = &page->lane->shelf;
    size_t from = shelf_find(shelf, page->chunk * JOURNAL_CHUNK_SLOTS);
    size_t to = shelf_find(shelf, (page->chunk + 1) * JOURNAL_CHUNK_SLOTS);
    page->entries = mem_need((to - from + 1) * sizeof *page->entries);
    for (size_t i = from; i < to; i++) {
        if (!shelf->at[i].message)
            continue;
        page->entries[page->count] = shelf->at[i];
        message_ref(page->entries[page->count++].message);
    }
    j->callbacks.paged_in(j->callbacks.context, page);
    free(page->entries);
}

static void tell_stalled(struct memory_journal *j, struct result *result, bool stalled)
{
    if (result->stalled == stalled || !result->page.lane)
        return;
    result->stalled = stalled;
    if (j->callbacks.stalled)
        j->callbacks.stalled(j->callbacks.context, result->page.lane,
                             stalled ? STATUS_IO : STATUS_OK);
}

/* Reports the first result. While reading fails, a page goes to the end of the list instead. */
static void report_result(struct memory_journal *j)
{
    struct result *result = j->results;
    j->results = result->next;
    if (!j->results)
        j->results_end = &j->results;
    result->next = NULL;
    if (result->page.lane && !result->paged_out && j->pages_failing) {
        *j->results_end = result;
        j->results_end = &result->next;
        return;
    }
    if (result->page.lane && result->paged_out)
        report_paged_out(j, result);
    else if (result->page.lane)
        report_page(j, result);
    free(result);
}

static void memory_poll(struct journal *journal)
{
    struct memory_journal *j = self_of(journal);
    if (j->health_due) {
        j->health_due = false;
        j->callbacks.health(j->callbacks.context, j->failing, status_text(j->failing));
    }
    if (j->reported < j->committed) {
        j->reported = j->committed;
        j->callbacks.committed(j->callbacks.context, j->committed);
    }
    /* Only the results that are there now: a callback may add more. */
    size_t due = 0;
    for (struct result *result = j->results; result; result = result->next, due++)
        if (!result->paged_out)
            tell_stalled(j, result, j->pages_failing != STATUS_OK);
    for (; due > 0; due--)
        report_result(j);
}

static void recover_lane(struct memory_journal *j, const struct disk_lane *stored,
                         const struct journal_recovery *recovery)
{
    struct journal_lane *lane = memory_lane_new(&j->head, stored->id);
    void *context = recovery->lane(recovery->context, stored->id, lane, stored->delivered);
    const struct shelf *shelf = &stored->shelf;
    for (size_t i = shelf->first; i < shelf->end;) {
        uint64_t chunk = shelf->at[i].seq / JOURNAL_CHUNK_SLOTS;
        uint64_t live[JOURNAL_CHUNK_WORDS] = {0}, bytes = 0;
        bool any = false, any_expires = false;
        for (; i < shelf->end && shelf->at[i].seq / JOURNAL_CHUNK_SLOTS == chunk; i++) {
            const struct journal_entry *entry = &shelf->at[i];
            if (!entry->message)
                continue;
            bytes += entry->message->body_bytes;
            counts_add(&lane->durable, entry->seq, entry->message->body_bytes);
            any = true;
            any_expires |= entry->expires_ms != 0;
            shelf_add(&lane->shelf, entry);
        }
        if (any)
            CHECK(counts_restore(&stored->counts, chunk, live) == bytes);
        if (any)
            recovery->chunk(context, chunk, live, bytes, any_expires);
    }
}

static enum status memory_recover(struct journal *journal, const struct journal_recovery *recovery,
                                  char **error)
{
    struct memory_journal *j = self_of(journal);
    *error = NULL;
    for (struct definition *d = j->disk->definitions; d; d = d->next)
        recovery->definition(recovery->context, text_bytes(&d->key), text_bytes(&d->value));
    for (struct disk_lane *lane = j->disk->lanes; lane; lane = lane->next)
        recover_lane(j, lane, recovery);
    return STATUS_OK;
}

/* An automatic journal writes the filling batch. Another forgets it: that is how a test crashes. */
static void memory_free(struct journal **journal)
{
    struct memory_journal *j = self_of(*journal);
    *journal = NULL;
    if (j->automatic) {
        journal_memory_sync(&j->head);
        memory_flush(&j->head);
    }
    memory_batch_clear(&j->filling);
    memory_batch_clear(&j->flying);
    free(j->filling.ops);
    free(j->flying.ops);
    while (j->lanes) {
        struct journal_lane *lane = j->lanes;
        j->lanes = lane->next;
        free_lane(lane);
    }
    while (j->results) {
        struct result *result = j->results;
        j->results = result->next;
        free(result);
    }
    free(j);
}

static const struct journal_ops memory_ops = {
    .put = memory_put,
    .erase = memory_erase,
    .lane_new = memory_lane_new,
    .lane_drop = memory_lane_drop,
    .append = memory_append,
    .settle = memory_settle,
    .body_bytes = memory_body_bytes,
    .delivered = memory_delivered,
    .page_out = memory_page_out,
    .page_in = memory_page_in,
    .filling = memory_filling,
    .await = memory_await,
    .committed = memory_committed,
    .unwritten_bytes = memory_unwritten_bytes,
    .flush = memory_flush,
    .poll = memory_poll,
    .recover = memory_recover,
    .free = memory_free,
};

struct journal *journal_memory_new(struct journal_memory_disk *disk,
                                   const struct journal_callbacks *callbacks, bool automatic)
{
    struct memory_journal *j = mem_need(sizeof *j);
    j->head.ops = &memory_ops;
    j->disk = disk;
    j->callbacks = *callbacks;
    j->automatic = automatic;
    j->filling_number = 1;
    j->results_end = &j->results;
    return &j->head;
}
