/* Headers of a message, or the pairs of a headers exchange's pattern, in an order that both share:
 * by the hash of the key. Views of what they were read from. Thread: the vhost's owner. */
#ifndef BROKER_HEADER_LIST_H
#define BROKER_HEADER_LIST_H

#include "leveret/wire/table.h"

struct header {
    struct bytes key;
    struct field value;
    uint64_t key_hash;                  /* set by header_list_add */
    uint64_t value_hash, presence_hash; /* set by header_list_hash */
};

struct header_list {
    struct header *headers;
    size_t count, room;
};

/* An empty list is all zeros. */
void header_list_free(struct header_list *list);
void header_list_clear(struct header_list *list);
void header_list_add(struct header_list *list, const struct header *header);

void header_list_sort(struct header_list *list);
/* Drops from a pattern, all of whose pairs must fit, what says nothing new: a pair that repeats,
 * the presence of a key that has a value too (a sorted list). */
void header_list_settle_pattern(struct header_list *list);
/* Fills in value_hash and presence_hash, and leaves one header of each key, the first (a sorted
 * list). */
void header_list_hash(struct header_list *list);

/* The first place from `from` on whose key_hash is at least this (a sorted list). */
size_t header_list_place(const struct header_list *list, uint64_t key_hash, size_t from);

/* Equality of values in headers: field_equal, and a timestamp equals the integer of its seconds, a
 * byte array the string of the same bytes. */
bool header_values_equal(const struct field *a, const struct field *b);

/* Hash of key and value; equal values have the same. */
uint64_t header_value_hash(const struct header *header);
/* Hash of the key alone. */
uint64_t header_presence_hash(const struct header *header);

#endif
