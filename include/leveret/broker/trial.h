/* What would happen: questions to a vhost that change nothing. Thread: the vhost's owner. */
#ifndef LEVERET_BROKER_TRIAL_H
#define LEVERET_BROKER_TRIAL_H

#include "leveret/broker/vhost.h"

/* Calls each() with the names of the queues that would get the message now, at most max of them;
 * *count says how many queues there are. A delay is not waited for. An exchange behind the first
 * one that deduplicates counts a message that it knows as one more duplicate. Errors: NOT_FOUND
 * (there is no such exchange). */
MUST_USE enum status vhost_try_route(struct vhost *vhost, struct bytes exchange,
                                     const struct message *message, uint64_t max,
                                     void (*each)(void *context, struct bytes queue), void *context,
                                     uint64_t *count);

/* What a policy would do to an object. Views are valid during the call. */
struct policy_outcome {
    bool is_queue;
    struct bytes name;
    bool fits;    /* true: the policy's pattern and kind fit the object */
    bool wins;    /* true: and no policy of its kind would come before it */
    bool changes; /* true: other settings, or another policy, would be in effect than now */
    struct bytes policy, definition;         /* in effect now; the policy is of the trial's kind */
    struct bytes new_policy, new_definition; /* that would be in effect */
};

/* A policy that is tried: COMMAND_POLICY_PUT, which is not carried out. */
struct policy_trial;
/* Thread: any. Errors: PRECONDITION_FAILED (the policy is not valid: *why gets
 * a zero-ended sentence, which the caller frees). */
MUST_USE enum status policy_trial_new(const struct command *put, struct policy_trial **out,
                                      struct text *why);
void policy_trial_free(struct policy_trial **trial);
/* Tries the policy on the next objects, as many as may be looked at in one turn, and calls each()
 * for those that it fits or that would change. Returns false when all have been looked at. */
bool vhost_try_policy(struct vhost *vhost, struct policy_trial *trial,
                      void (*each)(void *context, const struct policy_outcome *outcome),
                      void *context);

#endif
