/* A list of objects in the order in which they were made, for listings that are read in slices.
 * Each object gets a number, higher than all before it. A slice begins after a number, whether the
 * object with that number still exists or not. 16 bytes an object; adding is O(1), removing and
 * finding a place O(log n). Thread: the vhost's owner. */
#ifndef LEVERET_BASE_ROSTER_H
#define LEVERET_BASE_ROSTER_H

#include <stddef.h>
#include <stdint.h>

struct roster_slot {
    uint64_t number;
    void *object; /* NULL: removed */
};

struct roster {
    struct roster_slot *slots;
    size_t used, room, removed;
    uint64_t last_number;
};

/* An empty roster is all zeros. */
void roster_free(struct roster *roster);

/* Adds an object (not NULL) and returns its number, from 1 up. */
uint64_t roster_add(struct roster *roster, void *object);
/* Removes the object with this number; does nothing when there is none. */
void roster_remove(struct roster *roster, uint64_t number);
size_t roster_count(const struct roster *roster);

/* Returns the first object whose number is above *after and sets *after to its number; NULL at the
 * end. roster_walk goes on within a slice without a search. */
void *roster_next(const struct roster *roster, uint64_t *after);

/* Walks a slice: at is first what roster_begin returned. The roster must not change during the
 * walk. */
size_t roster_begin(const struct roster *roster, uint64_t after);
void *roster_walk(const struct roster *roster, size_t *at, uint64_t *after);

#endif
