/* The sweep applies policies (policy/policy.h) that have changed to all queues and exchanges, in
 * portions. Thread: the vhost's owner.
 *
 * Normal course: the command that changes a policy begins a sweep and does its first portion;
 * vhost_tick does the others; the command is answered at the end of the sweep. What can go wrong: a
 * policy is changed during a sweep: the sweep begins anew, and both commands are answered at its
 * end. */
#ifndef BROKER_POLICY_SWEEP_H
#define BROKER_POLICY_SWEEP_H

#include "broker/vhost_state.h"

/* Begins a sweep, or begins it anew if one is under way, and does its first portion. */
void policy_sweep_begin(struct vhost *vhost);
/* Does one portion of the sweep. */
void policy_sweep(struct vhost *vhost);
/* Does a whole sweep; for recovery, when all queues and exchanges have been made. */
void policy_sweep_all(struct vhost *vhost);

/* Answers a command at the end of the sweep, or now when there is no sweep. */
void policy_sweep_answer(struct channel *channel, const struct command *command);
/* The channel ends: its commands are not answered any more. */
void policy_sweep_forget(struct channel *channel);
/* The vhost is freed: no command is answered any more. */
void policy_sweep_forget_all(struct policies *policies);

#endif
