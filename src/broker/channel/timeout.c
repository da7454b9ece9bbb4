/* The time of the next check for overdue deliveries: see timeout.h. */
#include "broker/channel/timeout.h"

#include "broker/channel/channels.h"

/* The longest and the shortest time between two checks; in between it is a tenth of the shortest
 * time-out. */
#define CHECK_MS_MAX 60000u
#define CHECK_MS_MIN 1000u

void timeout_arm(struct channels *channels)
{
    if (channels->timeout_min_ms == UINT64_MAX)
        return;
    uint64_t interval_ms = channels->timeout_min_ms / 10;
    if (interval_ms > CHECK_MS_MAX)
        interval_ms = CHECK_MS_MAX;
    if (interval_ms < CHECK_MS_MIN)
        interval_ms = CHECK_MS_MIN;
    if (channels->store->call.now.steady_ms + interval_ms < channels->timeout_check_ms)
        channels->timeout_check_ms = channels->store->call.now.steady_ms + interval_ms;
}

void timeout_consider(struct channels *channels, uint64_t timeout_ms)
{
    if (timeout_ms && timeout_ms < channels->timeout_min_ms)
        channels->timeout_min_ms =
            timeout_ms; /* never raised: too low, it only makes checks frequent */
    if (channels->store->unsettled)
        timeout_arm(channels);
}

void timeout_set_default(struct channels *channels, uint64_t timeout_ms)
{
    channels->timeout_default_ms = timeout_ms;
    timeout_consider(channels, timeout_ms);
}
