/* Policies: settings that an administrator, and not the declaring client, gives to queues and
 * exchanges by their names. Thread: the vhost's owner.
 *
 * Normal course: of each kind (policies, operator policies) the first policy that matches applies,
 * in the order of priorities and then of names. Both together make an effective policy, which is
 * made once and shared by all objects with the same two policies; an object points to it, or to
 * NULL when no policy applies. A change is applied by a sweep over all queues and exchanges
 * (command/policy_sweep.c).
 *
 * What can go wrong: a pattern backtracks without end: it stops at a limit and does not match. */
#ifndef BROKER_POLICY_H
#define BROKER_POLICY_H

#include <sys/queue.h>

#include "broker/policy/queue_settings.h"
#include "leveret/base/map.h"
#include "leveret/base/pattern.h"
#include "leveret/broker/command.h"

struct exchange;
struct text;
struct topology;

/* Policies, operator policies. */
enum policy_kind { POLICY_USERS, POLICY_OPERATORS, POLICY_KINDS };

struct policy {
    uint64_t number;  /* the order in listings; a policy that is replaced passes it on */
    uint64_t version; /* of this definition; no other one ever has the same */
    struct bytes name, pattern_text, definition;
    int64_t priority;
    enum policy_target target;
    unsigned excludes; /* types of queues that it does not apply to: policy_definition_excludes */
    struct pattern *pattern;
    uint8_t data[];
};

/* The parts from which a policy is made. */
struct policy_parts {
    struct bytes name, pattern, definition; /* definition: its keys are sorted */
    int64_t priority;
    enum policy_target target;
};

/* All policies of a kind, in two orders. */
struct policy_list {
    struct policy **sorted; /* by priority and name: the first that matches applies */
    struct policy **made;   /* by number */
    size_t count, room;
};

/* The policies that apply to an object. */
struct effective_policy {
    uint64_t versions[POLICY_KINDS]; /* of the policies it is made of; 0: none of that kind */
    uint64_t objects;                /* how many objects point to it; freed at 0 */
    struct bytes names[POLICY_KINDS];
    struct bytes definition; /* of both together: the contents of a checked table, sorted by key */
    struct bytes alternate;  /* alternate-exchange; at NULL: the definition does not contain it */
    struct queue_settings settings; /* views into definition */
    uint8_t data[];
};

struct policy_wait;
TAILQ_HEAD(policy_waits, policy_wait);

struct policies {
    struct policy_list of[POLICY_KINDS];
    uint64_t last_number, last_version;
    struct map effective; /* by versions */
    /* The sweep (command/policy_sweep.c). */
    bool sweeping;             /* true: a change is being applied to queues and exchanges */
    bool queues_done;          /* true: it has come to the exchanges */
    uint64_t after;            /* it goes on with the object above this number in its roster */
    struct policy_waits waits; /* commands that are answered at its end */
};

/* Makes a policy, which is in no list yet. Errors: those of pattern_new, explained in *error, which
 * may be NULL. */
MUST_USE enum status policy_new(const struct policy_parts *parts, struct policy **out,
                                struct pattern_error *error);
/* *policy may be NULL. */
void policy_free(struct policy **policy);

/* Puts the policy into the list and owns it from then on; frees the policy of the same name, if
 * there is one. */
void policies_put(struct policies *policies, enum policy_kind kind, struct policy *policy);
/* Removes and frees the policy with this name. Returns false when there is none. */
bool policies_take(struct policies *policies, enum policy_kind kind, struct bytes name);
/* The policy with this name, or NULL. */
const struct policy *policies_find(const struct policies *policies, enum policy_kind kind,
                                   struct bytes name);

void policies_init(struct policies *policies);
/* Frees all policies. To be called last: frees effective policies without regard to the objects
 * that point to them. */
void policies_free(struct policies *policies);

/* ---- Effective policies (effective.c). */

/* An object to which policies are to be applied. */
struct policy_subject {
    struct bytes name;
    bool queue;           /* true: a queue; false: an exchange */
    enum queue_type type; /* of a queue */
};
/* Points *policy to the effective policy of the subject; NULL: no policy applies. Returns true when
 * it is another one than before. Then *old is the earlier one, and the caller calls policy_leave
 * with it once nothing refers to its settings. Adds the cost, in matches, to *work. */
bool policy_take(struct policies *policies, const struct policy_subject *subject,
                 struct effective_policy **policy, struct effective_policy **old, unsigned *work);
/* An object points to *policy no more; sets *policy to NULL, which it may be before. */
void policy_leave(struct policies *policies, struct effective_policy **policy);
/* Applies the policies of an exchange: sets its alternate exchange. Adds the cost, in matches, to
 * *work. */
void policy_apply_to_exchange(struct policies *policies, struct topology *topology,
                              struct exchange *exchange, unsigned *work);

/* What a policy would do to a subject, if it were put. */
struct policy_would {
    bool fits, wins;   /* see struct policy_outcome */
    struct bytes name; /* of the policy of its kind that would be in effect; empty: none would */
};
/* Tries the policy, which is in no list, in place of the one of its name; appends what both kinds
 * would say together to *definition. Adds the cost, in matches, to *work. */
void policy_try(const struct policies *policies, enum policy_kind kind, const struct policy *trial,
                const struct policy_subject *subject, struct policy_would *out,
                struct text *definition, unsigned *work);
/* Returns true when a comes before b in the order in which policies are tried. */
bool policy_comes_before(const struct policy *a, const struct policy *b);

static inline bool policies_are_none(const struct policies *policies)
{
    return policies->of[POLICY_USERS].count == 0 && policies->of[POLICY_OPERATORS].count == 0;
}

#endif
