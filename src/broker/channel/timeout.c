/* Consumer time-outs: a delivery that nobody settles keeps its message from everybody else; after a
 * time the message goes back. Thread: the vhost's owner.
 *
 * Normal course: while deliveries are out, all channels are looked through now and then, oldest
 * delivery first, as far as the shortest time-out reaches back. The consumer of an overdue delivery
 * is cancelled, and all that it holds goes back to its queue, in portions; the channel and its
 * other consumers go on. What the client settles of it after that has no effect (overdue.h). What
 * can go wrong: the client does not know that consumers can be cancelled, there is no consumer (any
 * more), or the configuration says so: the channel fails, and all that it holds goes back. A
 * command of the channel that gives back in portions, too, may end while an overdue consumer's
 * deliveries are still going back: the queue then begins to deliver before it has all of them. */
#include "broker/vhost_state.h"

#include <inttypes.h>

/* How often, at most and at least. */
#define CHECK_MS_MAX 60000u
#define CHECK_MS_MIN 1000u

void timeout_arm(struct vhost *vhost)
{
    if (vhost->timeout_min_ms == UINT64_MAX)
        return;
    uint64_t interval_ms = vhost->timeout_min_ms / 10;
    if (interval_ms > CHECK_MS_MAX)
        interval_ms = CHECK_MS_MAX;
    if (interval_ms < CHECK_MS_MIN)
        interval_ms = CHECK_MS_MIN;
    if (vhost->now.steady_ms + interval_ms < vhost->timeout_check_ms)
        vhost->timeout_check_ms = vhost->now.steady_ms + interval_ms;
}

void timeout_consider(struct vhost *vhost, uint64_t timeout_ms)
{
    if (timeout_ms && timeout_ms < vhost->timeout_min_ms)
        vhost->timeout_min_ms = timeout_ms; /* too low a one only looks more often */
    if (vhost->unsettled)
        timeout_arm(vhost);
}

void timeout_set_default(struct vhost *vhost, uint64_t timeout_ms)
{
    vhost->options.limits.consumer_timeout_ms = timeout_ms;
    timeout_consider(vhost, timeout_ms);
}

