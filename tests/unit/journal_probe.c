/* Callbacks of a journal that note what they are told: see journal_probe.h. */
#include "journal_probe.h"

#include <stdio.h>
#include <stdlib.h>

#include "leveret/base/check.h"

static void on_committed(void *context, uint64_t batch)
{
    struct probe *probe = context;
    CHECK(batch > probe->committed);
    probe->committed = batch;
    probe->commits++;
}

static void drop_page(struct probe *probe)
{
    for (size_t i = 0; i < probe->page_count; i++)
        message_unref(&probe->page[i].message);
    probe->page_count = 0;
}

static void on_paged_in(void *context, struct journal_page *page)
{
    struct probe *probe = context;
    drop_page(probe);
    CHECK(page->count <= JOURNAL_CHUNK_SLOTS);
    probe->pages++;
    probe->bad_pages += page->status != STATUS_OK;
    probe->page_lane = page->lane;
    probe->page_chunk = page->chunk;
    probe->page_status = page->status;
    probe->page_count = page->count;
    for (size_t i = 0; i < page->count; i++) {
        CHECK(i == 0 || page->entries[i].seq > page->entries[i - 1].seq);
        probe->page[i] = page->entries[i];
    }
}

static void on_paged_out(void *context, struct journal_lane *lane, uint64_t chunk,
                         enum status status)
{
    (void)lane;
    (void)chunk;
    struct probe *probe = context;
    probe->paged_outs++;
    probe->paged_out_status = status;
}

static void on_health(void *context, enum status status, const char *text)
{
    struct probe *probe = context;
    probe->healths++;
    probe->health = status;
    snprintf(probe->health_text, sizeof probe->health_text, "%s", text);
}

static void on_stalled(void *context, struct journal_lane *lane, enum status status)
{
    struct probe *probe = context;
    CHECK(lane);
    if (status == STATUS_OK)
        probe->goes_on++;
    else
        probe->stalls++;
}

struct journal_callbacks probe_callbacks(struct probe *probe)
{
    return (struct journal_callbacks){.context = probe,
                                      .committed = on_committed,
                                      .paged_in = on_paged_in,
                                      .paged_out = on_paged_out,
                                      .health = on_health,
                                      .stalled = on_stalled};
}

static void on_definition(void *context, struct bytes key, struct bytes value)
{
    struct probe *probe = context;
    size_t used = strlen(probe->definition);
    snprintf(probe->definition + used, sizeof probe->definition - used, "%.*s=%.*s;",
             BYTES_PRINT(key), BYTES_PRINT(value));
    probe->definitions++;
}

static void *on_lane(void *context, uint64_t lane_id, struct journal_lane *lane,
                     uint64_t delivered_seq)
{
    struct probe *probe = context;
    CHECK(probe->lanes < PROBE_LANES_MAX);
    probe->lane_ids[probe->lanes] = lane_id;
    probe->delivered[probe->lanes] = delivered_seq;
    probe->lane[probe->lanes] = lane;
    probe->lanes++;
    return probe;
}

static void on_chunk(void *context, uint64_t chunk, const uint64_t live[JOURNAL_CHUNK_WORDS],
                     uint64_t body_bytes, bool any_expires)
{
    struct probe *probe = context;
    CHECK(probe->chunks < PROBE_CHUNKS_MAX);
    struct probe_chunk *out = &probe->chunk[probe->chunks++];
    out->lane_id = probe->lane_ids[probe->lanes - 1];
    out->chunk = chunk;
    out->body_bytes = body_bytes;
    out->any_expires = any_expires;
    memcpy(out->live, live, sizeof out->live);
    if (probe->chunks > 1 && out[-1].lane_id == out->lane_id)
        CHECK(out[-1].chunk < chunk);
}

struct journal_recovery probe_recovery(struct probe *probe)
{
    return (struct journal_recovery){
        .context = probe, .definition = on_definition, .lane = on_lane, .chunk = on_chunk};
}

void probe_clear(struct probe *probe)
{
    drop_page(probe);
    memset(probe, 0, sizeof *probe);
}

struct journal_lane *probe_lane(const struct probe *probe, uint64_t lane_id)
{
    for (unsigned i = 0; i < probe->lanes; i++)
        if (probe->lane_ids[i] == lane_id)
            return probe->lane[i];
    return NULL;
}

uint64_t probe_live(const struct probe *probe, uint64_t lane_id)
{
    uint64_t count = 0;
    for (unsigned i = 0; i < probe->chunks; i++)
        for (size_t word = 0; probe->chunk[i].lane_id == lane_id && word < JOURNAL_CHUNK_WORDS;
             word++)
            count += (uint64_t)__builtin_popcountll(probe->chunk[i].live[word]);
    return count;
}

uint64_t probe_delivered(const struct probe *probe, uint64_t lane_id)
{
    for (unsigned i = 0; i < probe->lanes; i++)
        if (probe->lane_ids[i] == lane_id)
            return probe->delivered[i];
    return 0;
}

static void body_of(uint64_t number, uint8_t *out, size_t body_bytes)
{
    uint64_t state = number * 0x9e3779b97f4a7c15u + 1;
    for (size_t i = 0; i < body_bytes; i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        out[i] = (uint8_t)(state >> 56);
    }
}

struct message *probe_message(uint64_t number, size_t body_bytes)
{
    struct message *message =
        message_new(BYTES_LITERAL("x"), BYTES_LITERAL("key"), BYTES_LITERAL("\0\0"), body_bytes);
    CHECK(message);
    message->persistent = true;
    struct buffer *buffer = buffer_new(body_bytes + 1);
    CHECK(buffer);
    body_of(number, buffer->data, body_bytes);
    CHECK(message_fill(message, buffer, buffer->data, body_bytes) == STATUS_OK);
    buffer_unref(&buffer);
    return message;
}

bool probe_message_is(const struct message *message, uint64_t number, size_t body_bytes)
{
    if (message->body_bytes != body_bytes || !message_full(message) || !message->persistent ||
        !bytes_equal_text(message_exchange(message), "x") ||
        !bytes_equal_text(message_routing_key(message), "key") ||
        !bytes_equal(message_properties(message), BYTES_LITERAL("\0\0")))
        return false;
    uint8_t *want = malloc(body_bytes + 1);
    CHECK(want);
    body_of(number, want, body_bytes);
    size_t at = 0;
    bool same = true;
    for (uint32_t i = 0; i < message_body_pieces(message); i++) {
        struct bytes piece = message_body_piece(message, i);
        same &= at + piece.len <= body_bytes && memcmp(want + at, piece.at, piece.len) == 0;
        at += piece.len;
    }
    free(want);
    return same && at == body_bytes;
}

void probe_append(struct journal *journal, struct journal_lane *lane, uint64_t seq,
                  size_t body_bytes)
{
    struct message *message = probe_message(seq, body_bytes);
    journal_append(journal, lane, seq, 0, message);
    message_unref(&message);
}
