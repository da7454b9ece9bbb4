/* The deliveries of a channel that wait for ack, nack or reject, in the order of their tags.
 * Thread: the vhost's owner.
 *
 * Tags are given out in order, so an entry is nearly always found by subtraction; when gaps
 * (settled entries, deliveries that need no ack) outnumber the entries the ring is packed, and then
 * it is a binary search. */
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
    struct lane *lane;         /* NULL: settled, to be dropped */
    struct consumer *consumer; /* NULL: COMMAND_GET */
    uint32_t since_s;          /* steady clock, seconds, rounded up */
};

struct unsettled {
    struct unsettled_entry *entries;
    uint32_t head, count, room; /* room: a power of two */
    uint32_t live;              /* entries that are not settled */
};

/* Empty is all zeros. */
void unsettled_free(struct unsettled *unsettled);

/* The entry's tag must be above all earlier ones. */
void unsettled_add(struct unsettled *unsettled, const struct unsettled_entry *entry);
/* Walks the entries, oldest first: start with *at = 0; NULL at the end. Nothing may change
 * meanwhile. */
const struct unsettled_entry *unsettled_next(const struct unsettled *unsettled, uint32_t *at);
/* Takes the entry with this tag out. Errors: false when there is none. */
bool unsettled_take(struct unsettled *unsettled, uint64_t tag, struct unsettled_entry *out);
/* The tag of the oldest entry; UINT64_MAX when there is none. */
uint64_t unsettled_first(struct unsettled *unsettled);
/* Whether there is an entry with this tag. */
bool unsettled_has(const struct unsettled *unsettled, uint64_t tag);
/* Takes the oldest entry out if its tag is at most upto. */
bool unsettled_take_first(struct unsettled *unsettled, uint64_t upto, struct unsettled_entry *out);
/* Takes out the first entry with a tag above `after` for which wanted says true. */
bool unsettled_take_wanted(struct unsettled *unsettled, uint64_t after,
                           bool (*wanted)(const struct unsettled_entry *entry),
                           struct unsettled_entry *out);
/* Puts entries back that were taken (tx.rollback), ascending by tag. */
void unsettled_restore(struct unsettled *unsettled, const struct unsettled_entry *entries,
                       size_t count);

#endif
