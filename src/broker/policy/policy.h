/* Policies: settings that a vhost's administrator, not the declaring client, gives to queues and
 * exchanges by their names. Thread: the vhost's owner.
 *
 * Normal course: of each kind (policies, operator policies) the first one applies that matches, in
 * the order of priority and then of names. What the two say together is an effective policy, made
 * once and shared by all objects that have the same two; an object points to it, NULL: none. A
 * change is applied by a sweep over all queues and exchanges: in the command that changed something
 * as far as one portion goes, then in vhost_tick; the command is answered when the sweep is
 * through.
 *
 * What can go wrong: a pattern that backtracks without end stops at a limit and does not match. A
 * change comes while a sweep goes on: it begins anew, and both commands are answered at its end. */
#ifndef BROKER_POLICY_H
#define BROKER_POLICY_H

#include <sys/queue.h>

#include "broker/policy/settings.h"
#include "leveret/base/map.h"
#include "leveret/base/pattern.h"
#include "leveret/broker/vhost.h"

struct channel;
struct exchange;
struct queue;

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

/* A new object: what applies to it is applied. Nothing happens during recovery. */
void policy_join_queue(struct queue *queue);
void policy_join_exchange(struct vhost *vhost, struct exchange *exchange);
/* The object goes: lets go of *policy. */
void policy_leave(struct vhost *vhost, struct effective_policy **policy);

/* Recovery: a definition has been read; then, when all objects are there and have no messages yet,
 * everything is applied. Errors: CORRUPT, VERSION, and what pattern_new says. */
MUST_USE enum status policy_restore(struct vhost *vhost, struct bytes key, struct bytes value);
void policy_apply_all(struct vhost *vhost);

/* ---- Between policy.c, which keeps policies, and policy_apply.c. */

/* Begins a sweep, anew if one is under way, and does its first portion. */
void policy_sweep_begin(struct vhost *vhost);
/* One portion. */
void policy_sweep(struct vhost *vhost);
/* Answers a command when the sweep is through, now if there is none. */
void policy_answer(struct channel *channel, const struct command *command);
/* The channel goes, or all: these commands are not answered any more. */
void policy_forget_waits(struct channel *channel);
void policies_forget_waits(struct policies *policies);

#endif
