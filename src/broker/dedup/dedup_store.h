/* Deduplication in the journal: for dedup.c alone. Thread: the vhost's owner. */
#ifndef BROKER_DEDUP_STORE_H
#define BROKER_DEDUP_STORE_H

#include "broker/dedup/dedup.h"

/* An owner's record, until all exchanges and queues are there. */
struct dedup_owner {
    struct dedup_owner *next;
    uint64_t id;
    size_t name_len;
    uint8_t kind, name[];
};

/* Gives it an id, and puts on record whose that is. */
void dedup_store_begin(struct dedup *dedup);
/* The owner's record goes. */
void dedup_store_forget_owner(struct dedup *dedup);
/* Puts an entry on record (again, if it has changed); marks it. Erases the record. */
void dedup_store_put(struct dedup *dedup, struct dedup_entry *entry);
void dedup_store_erase(struct dedup *dedup, struct dedup_entry *entry);

/* Recovery has filled it. */
void dedup_restored(struct dedup *dedup);

#endif
