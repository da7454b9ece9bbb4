/* Problems: entries of a file of definitions about which an import has something to tell. Thread:
 * the main thread. */
#ifndef LEVERET_ADMIN_PROBLEMS_H
#define LEVERET_ADMIN_PROBLEMS_H

#include "admin/json/answer.h"
#include "admin/listing/arena.h"

/* Problems that are kept and told; those beyond are only counted. */
#define PROBLEMS_KEPT_MAX 10000u
/* Problems that one sentence tells: the reason of an error, and lines of the log. */
#define PROBLEMS_IN_REASON_MAX 10u
/* Bytes of the reason of one problem; a longer one is cut. */
#define PROBLEM_WHY_BYTES_MAX 400u

/* The index of a problem that is not about an entry of a list, but about the whole of it. */
#define NO_INDEX UINT32_MAX

struct problem {
    struct bytes list;        /* the list's key in the file: "queues" */
    uint32_t index;           /* of the entry, or NO_INDEX */
    struct bytes name, vhost; /* of the entry; at is NULL: it has none */
    const char *why;
};

struct problems {
    struct problem *items;
    size_t kept, room, count; /* count: with those that were not kept */
};

/* Adds a copy of the problem; its texts are copied into the arena, which must outlive the list. */
void problems_add(struct problems *problems, struct arena *arena, struct problem problem);
void problems_free(struct problems *problems);

/* Appends the first ones as one sentence without a zero: "queues[3] 'q' in vhost 'v': why; …; and 5
 * more". */
void problems_say(const struct problems *problems, struct text *out);
/* Appends all that are kept, each on a line of its own. */
void problems_say_lines(const struct problems *problems, struct text *out);
/* Writes all that are kept as a list under key, of objects {path, name, vhost, why}; and, when some
 * were not kept, their number under key_more. Writes nothing when there are none. */
void problems_write(const struct problems *problems, struct answer *answer, const char *key,
                    const char *key_more);

#endif
