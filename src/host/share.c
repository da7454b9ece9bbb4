/* See share.h. The method is known as deficit round robin. */
#include "share.h"

#include <stddef.h>

void share_init(struct share *share, void (*wake)(void *context), void *context)
{
    *share = (struct share){.wake = wake, .context = context};
    TAILQ_INIT(&share->waiting);
}

static void wake(struct share *share)
{
    if (share->woken || TAILQ_EMPTY(&share->waiting))
        return;
    share->woken = true;
    share->wake(share->context);
}

void share_wait(struct sharer *sharer)
{
    struct share *share = sharer->share;
    if (sharer->waits)
        return;
    sharer->waits = true;
    sharer->debt_units = sharer->spent_units;
    sharer->spent_units = 0;
    share->waits++;
    TAILQ_INSERT_TAIL(&share->waiting, sharer, entry);
    wake(share);
}

bool share_spend(struct sharer *sharer, uint32_t units, uint64_t now_ms)
{
    sharer->share->units += units;
    if (sharer->waits) {
        sharer->debt_units += units;
        return true;
    }
    if (sharer->spent_ms != now_ms)
        sharer->spent_units = 0;
    sharer->spent_ms = now_ms;
    uint64_t sum = (uint64_t)sharer->spent_units + units;
    sharer->spent_units = sum < UINT32_MAX ? (uint32_t)sum : UINT32_MAX;
    if (sum >= SHARE_FREE_UNITS)
        share_wait(sharer);
    return sharer->waits;
}

void share_leave(struct sharer *sharer)
{
    if (sharer->waits)
        TAILQ_REMOVE(&sharer->share->waiting, sharer, entry);
    sharer->waits = false;
    sharer->debt_units = 0;
}

/* Gives a sharer a grant of units. Returns how many of them it did not need. */
static uint32_t grant(struct sharer *sharer, uint32_t units)
{
    sharer->debt_units -= units;
    while (sharer->waits && sharer->debt_units < 0) {
        int64_t before = sharer->debt_units;
        if (!sharer->go_on(sharer)) {
            uint32_t left = (uint32_t)-sharer->debt_units;
            if (!sharer->waits)
                return 0;
            share_leave(sharer);
            sharer->over(sharer);
            return left;
        }
        if (sharer->debt_units < before + SHARE_COMMAND_UNITS)
            sharer->debt_units = before + SHARE_COMMAND_UNITS;
    }
    return 0;
}

void share_round(struct share *share)
{
    uint32_t left = SHARE_TURN_UNITS;
    struct sharer *sharer;
    share->woken = false;
    while (left && (sharer = TAILQ_FIRST(&share->waiting))) {
        uint32_t units = left < SHARE_QUANTUM_UNITS ? left : SHARE_QUANTUM_UNITS;
        TAILQ_REMOVE(&share->waiting, sharer, entry);
        TAILQ_INSERT_TAIL(&share->waiting, sharer, entry);
        left -= units;
        left += grant(sharer, units);
    }
    wake(share);
}
