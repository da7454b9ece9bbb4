/* What every call into the core carries: the time, its cost so far, and why it refuses a command.
 * Thread: the vhost's owner.
 *
 * Normal course: vhost_enter begins a call; code that does costly work reports it with call_spend
 * (work.h); a loop that may be long asks call_left how far it may go. */
#ifndef BROKER_CALL_H
#define BROKER_CALL_H

#include "broker/call/refuse.h"
#include "broker/call/work.h"
#include "leveret/broker/vhost.h"

struct call {
    struct moment now;
    struct applied applied; /* the cost of the call so far; whether its command is unfinished */
    uint32_t portion;       /* units of work after which a call stops; the next call continues its
                               command; UINT32_MAX: no call stops */
    struct refusal refusal; /* why the call refuses its command */
};

/* Adds units of work to the cost of the call. */
static inline void call_spend(struct call *call, uint64_t units)
{
    uint64_t sum = call->applied.units + units;
    call->applied.units = sum < UINT32_MAX ? (uint32_t)sum : UINT32_MAX;
}

/* How many more steps of units_each units of work the call may do; UINT64_MAX: without limit. */
static inline uint64_t call_left(const struct call *call, uint32_t units_each)
{
    uint32_t spent = call->applied.units;
    if (call->portion == UINT32_MAX)
        return UINT64_MAX;
    return spent < call->portion ? (call->portion - spent + units_each - 1) / units_each : 0;
}

#endif
