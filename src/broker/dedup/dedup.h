/* Deduplication: a message whose identifier (header x-deduplication-header) was seen before is
 * confirmed but goes nowhere. Thread: the vhost's owner.
 *
 * Exchanges and queues with x-message-deduplication=true have a struct dedup, as have exchanges of
 * the type of that name. There are two ways:
 *
 *   a cache   (exchanges, and queues with x-cache-size or x-cache-ttl) An identifier is known from
 *             the message that brought it on, for x-cache-ttl (of the owner or of the message), or
 *             until more than x-cache-size newer ones came.
 *   presence  (other queues) An identifier is known while its message is in the queue, ready or
 *             unsettled.
 *
 * Normal course: dedup_knows asks when a message comes; once it is taken, dedup_remember (a
 * cache) or the lane (presence) adds its identifier. What a persistent message leaves in a durable
 * owner is journalled in that message's batch and is there after a restart; what a transient one
 * leaves is not.
 *
 * What can go wrong. Identifiers of all caches take as much memory as they may
 * (ACCOUNT_DEDUPLICATION): a cache that is to learn another forgets its oldest, as at x-cache-size;
 * those of presence are bounded by their messages. The owner goes, or a queue with millions of
 * messages is purged: records are erased in portions, by dedups_tick; those that a crash left over
 * are found by recovery, since nobody's id is on them. */
#ifndef BROKER_DEDUP_H
#define BROKER_DEDUP_H

#include "broker/dedup/dedup_cache.h"
#include "broker/store/store.h"
#include "broker/topology/endpoint.h"
#include "leveret/base/heap.h"
#include "leveret/base/map.h"
#include "leveret/base/message.h"

struct dedup {
    struct dedups *set;
    struct endpoint *owner; /* NULL: it is gone, or not known yet */
    struct dedup_cache cache;
    bool stored; /* the owner comes back after a restart */
    uint64_t id; /* of its records; 0: none yet */
    uint64_t last_order;
    uint64_t refused; /* messages */
    uint32_t counted; /* identifiers that the account of memory knows of */
    uint64_t size_max;
    uint64_t ttl_ms;         /* 0: for ever */
    struct bytes header;     /* the name of the header that identifies */
    struct heap_node expiry; /* wall: when the oldest expires */
    TAILQ_ENTRY(dedup) link; /* in dying */
};
TAILQ_HEAD(dedup_list, dedup);

/* All of a vhost. */
struct dedups {
    struct store *store;
    struct heap expiry;
    struct dedup_list dying; /* records to be erased */
    struct map recovered;    /* by id, during recovery */
    struct dedup_owner *owners;
};
void dedups_init(struct dedups *dedups, struct store *store);
void dedups_free(struct dedups *dedups);

/* For an owner with these (checked) arguments; NULL when they do not ask for it. */
struct dedup *dedup_new(struct dedups *set, struct endpoint *owner, struct bytes arguments,
                        bool asked);
/* The owner goes, and all that was known with it. *dedup may be NULL, here and below. */
void dedup_delete(struct dedup **dedup);
/* Memory only. */
void dedup_free(struct dedup **dedup);

/* Whether this message came before. *needed is raised to the batch that the first one's record
 * waits for, since the duplicate's confirm promises as much. */
bool dedup_knows(struct dedup *dedup, const struct message *message, uint64_t *needed);
/* A message was taken: its identifier goes into the cache; by presence the lane does it. */
void dedup_remember(struct dedup *dedup, const struct message *message);

/* ---- Presence: what the lanes of a queue say. */

/* Whether an identifier is known by the presence of its message. */
static inline bool dedup_is_by_presence(const struct dedup *dedup)
{
    return dedup->cache.places;
}
void dedup_lane_stored(struct dedup *dedup, const struct lane *lane, struct place place);
void dedup_lane_left(struct dedup *dedup, const struct lane *lane, uint64_t seq);
void dedup_lane_emptied(struct dedup *dedup); /* all of the queue's lanes are empty */

/* ---- Time: expiry and erasing, a bounded amount. */
void dedups_tick(struct dedups *set);
uint64_t dedups_deadline_ms(const struct dedups *set); /* steady */

/* ---- Recovery: records as the journal tells them, in any order (vhost/recover_dedup.c
 * then gives owners theirs).
 * Errors: CORRUPT. */
MUST_USE enum status dedup_restore_entry(struct dedups *set, struct bytes key, struct bytes value);
MUST_USE enum status dedup_restore_owner(struct dedups *set, struct bytes key, struct bytes value);

#endif
