/* What a test sees of a journal: the callbacks' calls, written down. One thread. */
#ifndef TESTS_UNIT_JOURNAL_PROBE_H
#define TESTS_UNIT_JOURNAL_PROBE_H

#include "leveret/journal/journal.h"

#define PROBE_LANES_MAX  64
#define PROBE_CHUNKS_MAX 256

struct probe_chunk {
    uint64_t lane_id, chunk, body_bytes;
    uint64_t live[JOURNAL_CHUNK_WORDS];
    bool any_expires;
};

struct probe {
    uint64_t committed; /* the last one named */
    unsigned commits, pages, bad_pages, paged_outs, healths;
    unsigned stalls, goes_on; /* how often reading stalled, and went on */
    enum status health;
    char health_text[256];
    /* The last page; its entries are the probe's. */
    struct journal_lane *page_lane;
    uint64_t page_chunk;
    enum status page_status;
    size_t page_count;
    struct journal_entry page[JOURNAL_CHUNK_SLOTS];
    enum status paged_out_status;
    /* What recovery told. */
    unsigned definitions, lanes, chunks;
    char definition[2048]; /* "key=value;" each */
    uint64_t lane_ids[PROBE_LANES_MAX], delivered[PROBE_LANES_MAX];
    struct journal_lane *lane[PROBE_LANES_MAX];
    struct probe_chunk chunk[PROBE_CHUNKS_MAX];
};

struct journal_callbacks probe_callbacks(struct probe *probe);
struct journal_recovery probe_recovery(struct probe *probe);
/* Gives back what the probe holds, and forgets everything. */
void probe_clear(struct probe *probe);

/* The lane with this id that recovery found, or NULL; its live messages; its highest
 * delivered seq. */
struct journal_lane *probe_lane(const struct probe *probe, uint64_t lane_id);
uint64_t probe_live(const struct probe *probe, uint64_t lane_id);
uint64_t probe_delivered(const struct probe *probe, uint64_t lane_id);

/* A message of exchange "x", routing key "key", no properties, and a body of body_bytes that
 * depends on number; persistent. The caller owns the reference. */
struct message *probe_message(uint64_t number, size_t body_bytes);
/* Whether message is what probe_message makes. */
bool probe_message_is(const struct message *message, uint64_t number, size_t body_bytes);
/* Appends such a message under seq, and lets go of it. */
void probe_append(struct journal *journal, struct journal_lane *lane, uint64_t seq,
                  size_t body_bytes);

#endif
