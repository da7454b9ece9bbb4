/* What each call into the core leaves to do. Thread: the vhost's owner. */
#ifndef BROKER_TURN_H
#define BROKER_TURN_H

#include "broker/vhost_state.h"

/* A call begins. */
static inline void vhost_enter(struct vhost *vhost, struct moment now)
{
    vhost->store.call.now = now;
    vhost->store.call.applied = (struct applied){0};
    vhost->store.journalled = false;
}

/* Runs what a call has left to do: dispatch of queues that are due, dead letters, notices. Returns
 * what the call has cost, so that a call can end with it. */
struct applied vhost_finish_call(struct vhost *vhost);

#endif
