/* Policies: settings that a vhost's administrator, not the declaring client, gives to queues and
 * exchanges by their names. Thread: the vhost's owner.
 *
 * Normal course: of each kind (policies, operator policies) the first one applies that matches, in
 * the order of priority and then of names. What the two say together is an effective policy, made
 * once and shared by all objects that have the same two; an object points to it, NULL: none. A
 * change is applied by a sweep over all queues and exchanges (command/policy_sweep.h).
 *
 * What can go wrong: a pattern that backtracks without end stops at a limit and does not match. */
#ifndef BROKER_POLICY_H
#define BROKER_POLICY_H

#include <sys/queue.h>

#include "broker/policy/settings.h"
#include "leveret/base/map.h"
#include "leveret/base/pattern.h"
#include "leveret/broker/vhost.h"

struct exchange;
struct topology;

enum policy_kind { POLICY_USERS, POLICY_OPERATORS, POLICY_KINDS };

struct policy {
    uint64_t number;  /* for listings; stays when it is replaced */
    uint64_t version; /* of this definition: never used again */
    struct bytes name, pattern_text, definition;
    int64_t priority;
    enum policy_target target;
    unsigned excludes; /* queue types that it does not apply to: policy_definition_excludes */
    struct pattern *pattern;
    uint8_t data[];
};

/* What a policy is made of. */
struct policy_parts {
    struct bytes name, pattern, definition; /* definition: its keys in order */
    int64_t priority;
    enum policy_target target;
};

struct policy_list {
    struct policy **sorted; /* as they are asked */
    struct policy **made;   /* by number */
    size_t count, room;
};

/* What applies to an object. */
struct effective_policy {
    uint64_t versions[POLICY_KINDS]; /* of which it is made; 0: none of that kind */
    uint64_t objects;                /* that point here */
    struct bytes names[POLICY_KINDS];
    struct bytes definition;        /* of both together: a checked table's contents, in order */
    struct bytes alternate;         /* alternate-exchange; at NULL: not said */
    struct queue_settings settings; /* views into definition */
    uint8_t data[];
};

struct policy_wait;
TAILQ_HEAD(policy_waits, policy_wait);

struct policies {
    struct policy_list of[POLICY_KINDS];
    uint64_t last_number, last_version;
    struct map effective; /* by versions */
    /* The sweep. */
    bool sweeping, queues_done;
    uint64_t after;
    struct policy_waits waits; /* commands to be answered at its end */
};

/* A new policy, not in a list yet. Errors: as pattern_new, into *error (may be NULL). */
MUST_USE enum status policy_new(const struct policy_parts *parts, struct policy **out,
                                struct pattern_error *error);
/* *policy may be NULL. */
void policy_free(struct policy **policy);

/* Takes the policy over, in the place of one of the same name if there is one. */
void policies_put(struct policies *policies, enum policy_kind kind, struct policy *policy);
/* Returns whether there was one of this name; it is freed. */
bool policies_take(struct policies *policies, enum policy_kind kind, struct bytes name);
/* The policy of this name, or NULL. */
const struct policy *policies_find(const struct policies *policies, enum policy_kind kind,
                                   struct bytes name);

void policies_init(struct policies *policies);
/* Last of all: nothing that points to an effective policy is asked for it any more. */
void policies_free(struct policies *policies);

/* ---- What applies to an object (effective.c). */

struct policy_subject {
    struct bytes name;
    bool queue;           /* true: a queue, else an exchange */
    enum queue_type type; /* of a queue */
};
/* Points *policy to what applies to the subject now (NULL: nothing). Returns whether that is
 * something else than before; then *old is what it was, which the caller leaves when it has changed
 * what it took from it. *work grows by what it cost, in matches. */
bool policy_take(struct policies *policies, const struct policy_subject *subject,
                 struct effective_policy **policy, struct effective_policy **old, unsigned *work);
/* Lets go of *policy, which may be NULL. */
void policy_leave(struct policies *policies, struct effective_policy **policy);
/* The same for an exchange, whose alternate exchange it sets. */
void policy_apply_to_exchange(struct policies *policies, struct topology *topology,
                              struct exchange *exchange, unsigned *work);

static inline bool policies_are_none(const struct policies *policies)
{
    return policies->of[POLICY_USERS].count == 0 && policies->of[POLICY_OPERATORS].count == 0;
}

#endif
