/* Unsettled deliveries of a channel, which wait for ack, nack or reject, in the order of their
 * tags. Thread: the vhost's owner.
 *
 * Tags are given out in order, so the index of an entry is nearly always its tag minus the first
 * tag. When the ring is full its settled entries are dropped; deliveries that need no ack leave
 * gaps, too. An entry behind such a gap is found by binary search. */
#ifndef BROKER_UNSETTLED_H
#define BROKER_UNSETTLED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lane;
struct consumer;

struct unsettled_entry {
    uint64_t tag;
    uint64_t seq;
    struct lane *lane;         /* where the message is; NULL: the entry is settled */
    struct consumer *consumer; /* NULL: delivered by COMMAND_GET */
    uint32_t since_s;          /* when it was delivered: steady clock, seconds, rounded up */
};

/* All zeros: there are none. */
struct unsettled {
    struct unsettled_entry *entries;
    uint32_t head, count, room; /* room: a power of two */
    uint32_t live;              /* entries that are not settled */
};

void unsettled_free(struct unsettled *unsettled);

/* Adds an entry, whose tag must be above all earlier ones. */
void unsettled_add(struct unsettled *unsettled, const struct unsettled_entry *entry);
/* Walks the entries, oldest first: begin with *at = 0; returns NULL at the end. No entry may be
 * added or taken during the walk. */
const struct unsettled_entry *unsettled_next(const struct unsettled *unsettled, uint32_t *at);
/* Takes the entry with this tag out. Returns false when there is none. */
bool unsettled_take(struct unsettled *unsettled, uint64_t tag, struct unsettled_entry *out);
/* The tag of the oldest entry, or UINT64_MAX when there is none. */
uint64_t unsettled_first(struct unsettled *unsettled);
/* Whether there is an entry with this tag. */
bool unsettled_has(const struct unsettled *unsettled, uint64_t tag);
/* Takes the oldest entry out if its tag is at most upto. Returns false when it is not. */
bool unsettled_take_first(struct unsettled *unsettled, uint64_t upto, struct unsettled_entry *out);
/* Takes out the first entry with a tag above `after` for which wanted returns true. Returns false
 * when there is none. */
bool unsettled_take_wanted(struct unsettled *unsettled, uint64_t after,
                           bool (*wanted)(const struct unsettled_entry *entry),
                           struct unsettled_entry *out);
/* Puts entries back that were taken, for tx.rollback; they are in ascending order of tags. */
void unsettled_restore(struct unsettled *unsettled, const struct unsettled_entry *entries,
                       size_t count);

#endif
