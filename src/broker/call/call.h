/* What every call into the core carries: the time, what it has cost so far, and why it is refused.
 * Thread: the vhost's owner.
 *
 * Normal course: vhost_enter begins a call; what costs work says so with call_spend (work.h); a
 * loop that may be long asks call_left how far it may go. */
#ifndef BROKER_CALL_H
#define BROKER_CALL_H

#include "broker/call/refusal.h"
#include "broker/call/work.h"
#include "leveret/broker/vhost.h"

struct call {
    struct moment now;
    struct applied applied; /* what it has cost so far, and whether it is through */
    uint32_t portion; /* units of work at which a call stops, to go on in the next one; UINT32_MAX:
                         no call stops */
    struct refusal refusal; /* the explanation of what the call refuses */
};

/* Adds the cost of what has been done, in units of work. */
static inline void call_spend(struct call *call, uint64_t units)
{
    uint64_t sum = call->applied.units + units;
    call->applied.units = sum < UINT32_MAX ? (uint32_t)sum : UINT32_MAX;
}

/* How many things that cost so much each the call may still do. */
static inline uint64_t call_left(const struct call *call, uint32_t units_each)
{
    uint32_t spent = call->applied.units;
    if (call->portion == UINT32_MAX)
        return UINT64_MAX;
    return spent < call->portion ? (call->portion - spent + units_each - 1) / units_each : 0;
}

#endif
