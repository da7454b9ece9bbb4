/* Shares: how one worker's time is divided among those whose commands cost much. A unit of work is
 * about a tenth of a microsecond (broker/call/work.h).
 *
 * Normal course: who sends plain commands never meets any of this. A sharer that has spent
 * SHARE_FREE_UNITS within a turn is in debt: it waits in a line, its commands are put aside, and
 * in each turn of the loop those who wait are given SHARE_TURN_UNITS together, in turn, a quantum
 * at a time. Grants pay debts first; who has more than its debt does what was put aside, and who
 * has nothing left to do leaves the line. So an expensive client takes what time there is, but in
 * each turn no more than a few milliseconds of it, and two of them take half each.
 * What can go wrong: one command costs more than a grant: it is done, or a portion of it, and paid
 * for in the turns that follow.
 *
 * Thread: the loop's. */
#ifndef LEVERET_HOST_SHARE_H
#define LEVERET_HOST_SHARE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

/* What a sharer may spend within a millisecond, or a turn if that is longer, without waiting. */
#define SHARE_FREE_UNITS 10000u
/* What all who wait are given together in a turn, and each at a time. */
#define SHARE_TURN_UNITS    20000u
#define SHARE_QUANTUM_UNITS 5000u
/* What a command that waited counts for at least. */
#define SHARE_COMMAND_UNITS 10u

struct sharer;
TAILQ_HEAD(sharer_list, sharer);

/* One loop's. All zeros but for wake, context and the list: share_init. */
struct share {
    struct sharer_list waiting;
    bool woken; /* wake was called and share_round has not run since */
    /* Sees to it that share_round is called once in the next turn. */
    void (*wake)(void *context);
    void *context;
    uint64_t units; /* spent by all, ever */
    uint64_t waits; /* how often somebody began to wait */
};

struct sharer {
    TAILQ_ENTRY(sharer) entry; /* in share->waiting while it waits */
    struct share *share;
    int64_t debt_units;   /* below 0: granted and not used yet */
    uint64_t spent_ms;    /* when spent_units were spent */
    uint32_t spent_units; /* without waiting */
    bool waits;
    /* Does one thing that was put aside and tells share_spend what it cost; false: there is
     * nothing. It may end the sharer with share_leave. */
    bool (*go_on)(struct sharer *sharer);
    /* It waits no more. */
    void (*over)(struct sharer *sharer);
};

void share_init(struct share *share, void (*wake)(void *context), void *context);
/* Something that the sharer asked for has cost so much. Returns whether it waits from now on. */
bool share_spend(struct sharer *sharer, uint32_t units, uint64_t now_ms);
/* It has something to go on with, and waits for its turn. */
void share_wait(struct sharer *sharer);
/* It is gone: neither go_on nor over is called any more. */
void share_leave(struct sharer *sharer);
/* One turn's grants. */
void share_round(struct share *share);

#endif
