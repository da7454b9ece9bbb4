/* Headers of a message, or the pairs of a headers exchange's pattern, in an order that both share:
 * by the hash of the key. Keys and values are views of the message or arguments. Thread: the
 * vhost's owner. */
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
/* Removes redundant pairs from a sorted pattern whose pairs must all match: repeated pairs, and a
 * pair without a value when another pair gives its key a value. */
void header_list_settle_pattern(struct header_list *list);
/* Sets value_hash and presence_hash in a sorted list, and keeps only the first header of
 * each key. */
void header_list_hash(struct header_list *list);

/* The first index from `from` on whose key_hash is at least the given one, in a sorted list. */
size_t header_list_place(const struct header_list *list, uint64_t key_hash, size_t from);

/* Whether two header values are equal: as field_equal says, and also when a timestamp's seconds
 * equal an integer, or a byte array equals a string. */
bool header_list_values_equal(const struct field *a, const struct field *b);

/* Hash of key and value; equal values have equal hashes. */
uint64_t header_list_value_hash(const struct header *header);
/* Hash of the key alone. */
uint64_t header_list_presence_hash(const struct header *header);

#endif
