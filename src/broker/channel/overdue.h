/* Delivery tags that an acknowledgement time-out has taken from their consumer. The client may have
 * settled them before it heard of that, so each may be settled once more, without any effect.
 * Thread: the vhost's owner.
 *
 * Normal course: overdue_note when the message goes back to its queue, tags ascending for the most
 * part; overdue_take when the client settles it. What can go wrong: a client never settles them.
 * The lowest tags are forgotten then, and settling those is an error. */
#ifndef BROKER_OVERDUE_H
#define BROKER_OVERDUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Tags kept of a channel, as many as a consumer's prefetch can have out: 512 KB. */
#define OVERDUE_MAX 65536u

/* Empty is all zeros. */
struct overdue {
    uint64_t *marks; /* tag * 2, and 1 when it is taken: marks[from .. count) */
    size_t from, count, room;
    bool unsorted;
};
void overdue_free(struct overdue *overdue);
void overdue_note(struct overdue *overdue, uint64_t tag);
/* Whether the tag is there; it is not any more. */
bool overdue_take(struct overdue *overdue, uint64_t tag);
/* None up to this tag is there any more. */
void overdue_take_upto(struct overdue *overdue, uint64_t tag);

#endif
