/* Part of vhost (leveret/broker/vhost.h): how a call into the core begins and ends. Thread: the
 * vhost's owner. */
#ifndef BROKER_TURN_H
#define BROKER_TURN_H

#include "broker/vhost_state.h"

/* Begins a call: notes the time, and that nothing has been spent or journalled yet. */
static inline void vhost_enter(struct vhost *vhost, struct moment now)
{
    vhost->store.call.now = now;
    vhost->store.call.applied = (struct applied){0};
    vhost->store.journalled = false;
}

/* Ends a call: does what it has left to do, which is dispatching queues, waking consumers, and
 * sending dead letters and notices. Returns what the call has cost. */
struct applied vhost_finish_call(struct vhost *vhost);

#endif
