/* When deliveries are looked through: see timeout.h. */
#include "broker/channel/timeout.h"

#include "broker/channel/channels.h"

/* How often, at most and at least. */
#define CHECK_MS_MAX 60000u
#define CHECK_MS_MIN 1000u

void timeout_arm(struct channels *set)
{
    if (set->timeout_min_ms == UINT64_MAX)
        return;
    uint64_t interval_ms = set->timeout_min_ms / 10;
    if (interval_ms > CHECK_MS_MAX)
        interval_ms = CHECK_MS_MAX;
    if (interval_ms < CHECK_MS_MIN)
        interval_ms = CHECK_MS_MIN;
    if (set->store->call.now.steady_ms + interval_ms < set->timeout_check_ms)
        set->timeout_check_ms = set->store->call.now.steady_ms + interval_ms;
}

void timeout_consider(struct channels *set, uint64_t timeout_ms)
{
    if (timeout_ms && timeout_ms < set->timeout_min_ms)
        set->timeout_min_ms =
            timeout_ms; /* when it is too low, deliveries are only looked through more often */
    if (set->store->unsettled)
        timeout_arm(set);
}

void timeout_set_default(struct channels *set, uint64_t timeout_ms)
{
    set->timeout_default_ms = timeout_ms;
    timeout_consider(set, timeout_ms);
}
