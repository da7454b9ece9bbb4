/* Part of policy (policy.h): which policies apply to an object, and what they say together.
 *
 * The cost is that of matching names, a fraction of a microsecond each. A pattern that backtracks
 * until it gives up counts as many matches as it takes the time of. */
#include "broker/policy/policy.h"

#include "broker/policy/policy_definition.h"
#include "broker/topology/topology.h"
#include "leveret/base/mem.h"
#include "leveret/wire/table.h"

/* Costs in matches: looking at an object; changing its policy; a match that gave up. */
#define COST_OBJECT  1u
#define COST_CHANGE  4u
#define COST_GAVE_UP 250u

/* ---- Matching. */

/* Whether the policy is for objects of this kind. */
static bool concerns(const struct policy *policy, const struct policy_subject *subject)
{
    if (subject->queue && policy->excludes & 1u << subject->type)
        return false;
    switch (policy->target) {
    case POLICY_QUEUES:
        return subject->queue;
    case POLICY_CLASSIC_QUEUES:
        return subject->queue && subject->type == QUEUE_CLASSIC;
    case POLICY_QUORUM_QUEUES:
        return subject->queue && subject->type == QUEUE_QUORUM;
    case POLICY_STREAMS:
        return subject->queue && subject->type == QUEUE_STREAM;
    case POLICY_EXCHANGES:
        return !subject->queue;
    default:
        return true;
    }
}

static bool applies(const struct policy *policy, const struct policy_subject *subject,
                    unsigned *work)
{
    if (!concerns(policy, subject))
        return false;
    enum pattern_result result = pattern_match(policy->pattern, subject->name);
    *work += result == PATTERN_GAVE_UP ? COST_GAVE_UP : 1;
    return result == PATTERN_MATCH;
}

/* The first policy of the list that applies to the subject, or NULL. */
static const struct policy *find(const struct policy_list *list,
                                 const struct policy_subject *subject, unsigned *work)
{
    for (size_t i = 0; i < list->count; i++)
        if (applies(list->sorted[i], subject, work))
            return list->sorted[i];
    return NULL;
}

/* The same, if the policy trial stood in the list in place of the one with its name. */
static const struct policy *find_with(const struct policy_list *list, const struct policy *trial,
                                      bool fits, const struct policy_subject *subject,
                                      unsigned *work)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct policy *policy = list->sorted[i];
        if (bytes_equal(policy->name, trial->name))
            continue;
        if (fits && policy_comes_before(trial, policy))
            return trial;
        if (applies(policy, subject, work))
            return policy;
    }
    return fits ? trial : NULL;
}

void policy_try(const struct policies *policies, enum policy_kind kind, const struct policy *trial,
                const struct policy_subject *subject, struct policy_would *out,
                struct text *definition, unsigned *work)
{
    const struct policy *of[POLICY_KINDS];
    struct bytes said[POLICY_KINDS];
    *work += COST_OBJECT;
    out->fits = applies(trial, subject, work);
    for (unsigned k = 0; k < POLICY_KINDS; k++) {
        of[k] = k == kind ? find_with(&policies->of[k], trial, out->fits, subject, work)
                          : find(&policies->of[k], subject, work);
        said[k] = of[k] ? of[k]->definition : bytes_of("", 0);
    }
    out->wins = of[kind] == trial;
    out->name = of[kind] ? of[kind]->name : bytes_of("", 0);
    policy_definition_merge(said[POLICY_USERS], said[POLICY_OPERATORS], definition);
}

/* ---- Effective policies. */

static struct bytes key_of(const uint64_t versions[POLICY_KINDS])
{
    return bytes_of(versions, POLICY_KINDS * sizeof *versions);
}

static struct effective_policy *effective_new(const struct policy *const of[POLICY_KINDS])
{
    const struct bytes nothing = {0};
    struct bytes definitions[POLICY_KINDS], names[POLICY_KINDS];
    struct text both = {0};
    for (unsigned kind = 0; kind < POLICY_KINDS; kind++) {
        definitions[kind] = of[kind] ? of[kind]->definition : nothing;
        names[kind] = of[kind] ? of[kind]->name : nothing;
    }
    policy_definition_merge(definitions[POLICY_USERS], definitions[POLICY_OPERATORS], &both);
    struct effective_policy *e = mem_need(sizeof *e + names[0].len + names[1].len + both.len);
    uint8_t *at = e->data;
    for (unsigned kind = 0; kind < POLICY_KINDS; kind++) {
        e->versions[kind] = of[kind] ? of[kind]->version : 0;
        if (names[kind].len)
            memcpy(at, names[kind].at, names[kind].len);
        e->names[kind] = bytes_of(at, names[kind].len);
        at += names[kind].len;
    }
    memcpy(at, both.at, both.len);
    e->definition = bytes_of(at, both.len);
    text_free(&both);
    struct field alternate;
    if (table_find(e->definition, "alternate-exchange", &alternate))
        e->alternate = alternate.value.bytes;
    policy_definition_settings(e->definition, &e->settings);
    return e;
}

/* The effective policy of the subject; NULL: no policy applies. */
static struct effective_policy *effective_for(struct policies *policies,
                                              const struct policy_subject *subject, unsigned *work)
{
    const struct policy *of[POLICY_KINDS];
    uint64_t versions[POLICY_KINDS];
    bool any = false;
    for (unsigned kind = 0; kind < POLICY_KINDS; kind++) {
        of[kind] = find(&policies->of[kind], subject, work);
        versions[kind] = of[kind] ? of[kind]->version : 0;
        any |= of[kind] != NULL;
    }
    if (!any)
        return NULL;
    struct effective_policy *e = map_get(&policies->effective, key_of(versions));
    if (!e) {
        e = effective_new(of);
        map_put(&policies->effective, key_of(e->versions), e);
    }
    return e;
}

void policy_leave(struct policies *policies, struct effective_policy **policy)
{
    struct effective_policy *e = *policy;
    *policy = NULL;
    if (e && --e->objects == 0) {
        map_remove(&policies->effective, key_of(e->versions));
        free(e);
    }
}

/* ---- On objects. */

bool policy_take(struct policies *policies, const struct policy_subject *subject,
                 struct effective_policy **policy, struct effective_policy **old, unsigned *work)
{
    struct effective_policy *e = effective_for(policies, subject, work);
    *work += COST_OBJECT;
    if (e == *policy)
        return false;
    *old = *policy;
    *policy = e;
    if (e)
        e->objects++;
    *work += COST_CHANGE;
    return true;
}

void policy_apply_to_exchange(struct policies *policies, struct topology *topology,
                              struct exchange *exchange, unsigned *work)
{
    const struct policy_subject subject = {.name = exchange->endpoint.name};
    struct effective_policy *old;
    if (!policy_take(policies, &subject, &exchange->policy, &old, work))
        return;
    struct bytes alternate = {0};
    if (exchange->policy)
        alternate = exchange->policy->alternate;
    topology_set_alternate(topology, exchange, alternate);
    policy_leave(policies, &old);
}
