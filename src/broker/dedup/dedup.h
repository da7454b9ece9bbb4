/* Deduplication: a message whose identifier (header x-deduplication-header) was seen before is
 * confirmed, but goes into no queue. Thread: the vhost's owner.
 *
 * Exchanges and queues with x-message-deduplication=true have a struct dedup, and so have exchanges
 * of the type x-message-deduplication. There are two ways:
 *
 *   a cache   (exchanges, and queues with x-cache-size or x-cache-ttl) An identifier is known from
 *             its first message on, for x-cache-ttl (of the owner or of the message), or until
 *             x-cache-size newer identifiers have come.
 *   presence  (other queues) An identifier is known while its message is in the queue, ready or
 *             unsettled.
 *
 * Normal course: dedup_knows is asked when a message comes; when the message is taken,
 * dedup_remember (a cache) or the lane (presence) adds its identifier. The identifier of a
 * persistent message in a durable owner is journalled in the batch of the message and is known
 * after a restart; that of a transient message is not.
 *
 * What can go wrong. The identifiers of all caches have reached their share of memory
 * (ACCOUNT_DEDUPLICATION): a cache that takes another identifier forgets its oldest, as at
 * x-cache-size; identifiers by presence are bounded by their messages. The owner is deleted, or a
 * queue with millions of messages is purged: the records are erased in portions, by dedups_tick.
 * The broker ends before all are erased: recovery finds the others, since no owner has their id. */
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
    struct endpoint *owner; /* the exchange or queue; NULL: it is gone, or not restored yet */
    struct dedup_cache cache;
    bool stored;             /* true: the owner is durable, so persistent messages leave records */
    uint64_t id;             /* in the keys of its records; 0: it has none */
    uint64_t last_order;     /* dedup_entry.order of the newest identifier */
    uint64_t refused;        /* messages that were duplicates */
    uint32_t counted;        /* identifiers that are counted in the account of memory */
    uint64_t size_max;       /* identifiers in a cache */
    uint64_t ttl_ms;         /* how long a cache knows an identifier; 0: without limit */
    struct bytes header;     /* the name of the header with the identifier */
    struct heap_node expiry; /* in dedups.expiry: when the oldest identifier of a cache expires */
    TAILQ_ENTRY(dedup) link; /* in dedups.dying */
};
TAILQ_HEAD(dedup_list, dedup);

/* The deduplication of all exchanges and queues of a vhost. */
struct dedups {
    struct store *store;
    struct heap expiry;         /* wall clock */
    struct dedup_list dying;    /* without an owner: their records are to be erased */
    struct map recovered;       /* during recovery: identifiers read so far, by id */
    struct dedup_owner *owners; /* during recovery: owners read so far */
};
void dedups_init(struct dedups *dedups, struct store *store);
void dedups_free(struct dedups *dedups);

/* Makes the struct dedup of an owner with these checked arguments. Returns NULL when `asked` is
 * false and the arguments do not ask for deduplication. */
struct dedup *dedup_new(struct dedups *dedups, struct endpoint *owner, struct bytes arguments,
                        bool asked);
/* The owner is deleted: forgets its identifiers and erases their records, in portions. *dedup may
 * be NULL, here and below. */
void dedup_delete(struct dedup **dedup);
/* Frees the memory; the records stay. */
void dedup_free(struct dedup **dedup);

/* Whether the message is a duplicate. If so, *needed is raised to the batch with the record of the
 * first message, since a confirm of the duplicate must mean that the first one is on disk. */
bool dedup_knows(struct dedup *dedup, const struct message *message, uint64_t *needed);
/* The owner has taken a message: adds its identifier to a cache. By presence it does nothing, since
 * dedup_lane_stored does it. */
void dedup_remember(struct dedup *dedup, const struct message *message);

/* ---- Presence: what the lanes of a queue tell (struct lane_calls). */

/* Whether an identifier is known by the presence of its message. */
static inline bool dedup_is_by_presence(const struct dedup *dedup)
{
    return dedup->cache.places;
}
void dedup_lane_stored(struct dedup *dedup, const struct lane *lane, struct place place);
void dedup_lane_left(struct dedup *dedup, const struct lane *lane, uint64_t seq);
void dedup_lane_emptied(struct dedup *dedup); /* all of the queue's lanes are empty */

/* ---- Time. */

/* Removes identifiers that have expired and erases records without an owner, a bounded amount. */
void dedups_tick(struct dedups *dedups);
/* When dedups_tick is to be called next, by the steady clock; UINT64_MAX: never. */
uint64_t dedups_deadline_ms(const struct dedups *dedups);

/* ---- Recovery: records in the order in which the journal has them; vhost/recover_dedup.c then
 * gives them to their owners. Errors: CORRUPT, VERSION. */
MUST_USE enum status dedup_restore_entry(struct dedups *dedups, struct bytes key,
                                         struct bytes value);
MUST_USE enum status dedup_restore_owner(struct dedups *dedups, struct bytes key,
                                         struct bytes value);

/* Recovery has given the owner its entries: counts them and sets the timer. */
void dedup_restored(struct dedup *dedup);

#endif
