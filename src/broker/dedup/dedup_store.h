/* Records of deduplication in the journal, for dedup.c and vhost/recover_dedup.c alone. Thread: the
 * vhost's owner. */
#ifndef BROKER_DEDUP_STORE_H
#define BROKER_DEDUP_STORE_H

#include "broker/dedup/dedup.h"

/* The record of an owner, kept until recovery has restored all exchanges and queues. */
struct dedup_owner {
    struct dedup_owner *next;
    uint64_t id;
    size_t name_len;
    uint8_t kind, name[];
};

/* Takes an id and puts the record of the owner into the batch that is filling. */
void dedup_store_begin(struct dedup *dedup);
/* Erases the record of the owner. */
void dedup_store_forget_owner(struct dedup *dedup);
/* Puts the record of an entry into the batch that is filling, also when the entry has changed. */
void dedup_store_put(struct dedup *dedup, struct dedup_entry *entry);
/* Erases the record of an entry. */
void dedup_store_erase(struct dedup *dedup, struct dedup_entry *entry);

#endif
