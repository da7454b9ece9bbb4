/* Overdue deliveries: the tags that an acknowledgement time-out has taken from their consumers. The
 * client may settle such a tag before it hears of the time-out, so each may be settled once more,
 * without any effect. Thread: the vhost's owner.
 *
 * Normal course: overdue_note adds a tag when its message goes back to the queue, mostly in
 * ascending order; overdue_take removes it when the client settles it. What can go wrong: a client
 * never settles them. Then the lowest tags are forgotten, and settling those is an error. */
#ifndef BROKER_OVERDUE_H
#define BROKER_OVERDUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Tags that are kept for a channel, as many as a consumer's prefetch allows (512 KB); at the limit
 * the lowest quarter is forgotten. */
#define OVERDUE_MAX 65536u

/* All zeros: there are none. */
struct overdue {
    uint64_t *marks; /* marks[from .. count): tag * 2, and 1 more when the tag was taken */
    size_t from, count, room;
    bool unsorted; /* true: the marks must be sorted before one is looked for */
};
void overdue_free(struct overdue *overdue);
/* Adds a tag. */
void overdue_note(struct overdue *overdue, uint64_t tag);
/* Removes a tag. Returns false when it was not there. */
bool overdue_take(struct overdue *overdue, uint64_t tag);
/* Removes all tags up to this one. */
void overdue_take_upto(struct overdue *overdue, uint64_t tag);

#endif
