/* Shares: how a worker's time is divided among sharers, the links and vhosts whose work costs much.
 * A unit of work is about a tenth of a microsecond (broker/call/work.h).
 *
 * Normal course: a client that sends plain commands never waits here. A sharer that has spent
 * SHARE_FREE_UNITS within a millisecond is in debt. It waits in a line, and its commands are put
 * aside. In each turn of the loop the sharers in the line get SHARE_TURN_UNITS together, one after
 * the other, SHARE_QUANTUM_UNITS at a time. A grant pays the sharer's debt first; with what is left
 * of it the sharer does what was put aside. A sharer with nothing left to do leaves the line. So an
 * expensive client uses the time that others leave, but only a few milliseconds in each turn, and
 * two expensive clients get half of that each.
 *
 * What can go wrong: one command costs more than a grant. The command, or a portion of it, is done
 * all the same, and the sharer pays for it in later turns.
 *
 * Thread: the loop's. */
#ifndef LEVERET_HOST_SHARE_H
#define LEVERET_HOST_SHARE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

/* Units that a sharer may spend within a millisecond (or within a turn of the loop, if that takes
 * longer). With this many it begins to wait. */
#define SHARE_FREE_UNITS 10000u
/* Units that all waiting sharers get together in one turn of the loop. */
#define SHARE_TURN_UNITS 20000u
/* Units that a waiting sharer gets at a time. */
#define SHARE_QUANTUM_UNITS 5000u
/* A command that was put aside counts for at least this many units, also when it cost less. */
#define SHARE_COMMAND_UNITS 10u

struct sharer;
TAILQ_HEAD(sharer_list, sharer);

/* One for each loop; share_init makes it. */
struct share {
    struct sharer_list waiting;
    bool woken; /* wake was called, and share_round has not run since */
    /* Makes the loop call share_round once, in its next turn. */
    void (*wake)(void *context);
    void *context;
    uint64_t units; /* spent by all sharers since the start */
    uint64_t waits; /* how often a sharer began to wait */
};

struct sharer {
    TAILQ_ENTRY(sharer) entry; /* in share->waiting while it waits */
    struct share *share;
    int64_t debt_units;   /* below 0: units that were granted and are not used yet */
    uint64_t spent_ms;    /* the millisecond in which spent_units were spent */
    uint32_t spent_units; /* while it did not wait */
    bool waits;           /* it is in the line */
    /* Does one thing that was put aside, or a portion of it, and tells share_spend what that cost.
     * Returns false when nothing was put aside. It may end the sharer with share_leave. */
    bool (*go_on)(struct sharer *sharer);
    /* The sharer has left the line, because nothing was left to do. */
    void (*over)(struct sharer *sharer);
};

void share_init(struct share *share, void (*wake)(void *context), void *context);
/* Counts units that the sharer has spent. Returns whether it waits now. */
bool share_spend(struct sharer *sharer, uint32_t units, uint64_t now_ms);
/* Puts the sharer into the line: it has something to go on with. */
void share_wait(struct sharer *sharer);
/* Takes the sharer out of the line: neither go_on nor over is called, unless it waits again. */
void share_leave(struct sharer *sharer);
/* Hands out the grants of one turn. */
void share_round(struct share *share);

#endif
