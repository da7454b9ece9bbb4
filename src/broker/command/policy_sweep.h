/* The sweep: policies that have changed are applied to all queues and exchanges (policy.h), in
 * portions. Thread: the vhost's owner.
 *
 * Normal course: the command that changed something begins a sweep and does its first portion; the
 * rest is done in vhost_tick; the command is answered when the sweep is through. What can go wrong:
 * a change comes while a sweep goes on: it begins anew, and both commands are answered at its end.
 */
#ifndef BROKER_POLICY_SWEEP_H
#define BROKER_POLICY_SWEEP_H

#include "broker/vhost_state.h"

/* Begins a sweep, anew if one is under way, and does its first portion. */
void policy_sweep_begin(struct vhost *vhost);
/* One portion. */
void policy_sweep(struct vhost *vhost);
/* All of it, when recovery has made all objects and they have no messages yet. */
void policy_sweep_all(struct vhost *vhost);

/* Answers a command when the sweep is through, now if there is none. */
void policy_sweep_answer(struct channel *channel, const struct command *command);
/* The channel goes: its commands are not answered any more. */
void policy_sweep_forget(struct channel *channel);
/* The same for all channels. */
void policy_sweep_forget_all(struct policies *policies);

#endif
