/* Policies and the lists of them: see policy.h. */
#include "broker/policy/policy.h"

#include "broker/policy/policy_definition.h"
#include "leveret/base/mem.h"

/* Steps of one match, after which it gives up: ten times as many as a plain pattern needs for a
 * long name, which takes about 0.1 ms. */
#define PATTERN_STEPS_MAX 10000u

/* ---- One policy. */

static struct bytes keep(uint8_t **at, struct bytes bytes)
{
    uint8_t *to = *at;
    if (bytes.len)
        memcpy(to, bytes.at, bytes.len);
    *at += bytes.len;
    return bytes_of(to, bytes.len);
}

enum status policy_new(const struct policy_parts *parts, struct policy **out,
                       struct pattern_error *error)
{
    static const struct pattern_options options = {.steps_max = PATTERN_STEPS_MAX};
    struct bytes definition = parts->definition;
    struct pattern *pattern;
    enum status status = pattern_new(parts->pattern, &options, &pattern, error);
    if (status != STATUS_OK)
        return status;
    struct policy *policy =
        mem_need(sizeof *policy + parts->name.len + parts->pattern.len + definition.len);
    uint8_t *at = policy->data;
    policy->name = keep(&at, parts->name);
    policy->pattern_text = keep(&at, parts->pattern);
    policy->definition = keep(&at, definition);
    policy->priority = parts->priority;
    policy->target = parts->target;
    policy->excludes = policy_definition_excludes(policy->definition);
    policy->pattern = pattern;
    *out = policy;
    return STATUS_OK;
}

void policy_free(struct policy **policy)
{
    struct policy *p = *policy;
    *policy = NULL;
    if (!p)
        return;
    pattern_free(&p->pattern);
    free(p);
}

/* ---- The lists. */

static int compare_names(struct bytes a, struct bytes b)
{
    size_t len = a.len < b.len ? a.len : b.len;
    int order = len ? memcmp(a.at, b.at, len) : 0;
    return order ? order : (a.len > b.len) - (a.len < b.len);
}

bool policy_comes_before(const struct policy *a, const struct policy *b)
{
    return a->priority != b->priority ? a->priority > b->priority
                                      : compare_names(a->name, b->name) < 0;
}

static size_t place_of(struct policy *const *array, size_t count, struct bytes name)
{
    size_t i = 0;
    while (i < count && !bytes_equal(array[i]->name, name))
        i++;
    return i;
}

static void take_out(struct policy **array, size_t count, size_t at)
{
    memmove(array + at, array + at + 1, (count - at - 1) * sizeof *array);
}

static void sort_in(struct policy_list *list, size_t count, struct policy *policy)
{
    size_t at = 0;
    while (at < count && policy_comes_before(list->sorted[at], policy))
        at++;
    memmove(list->sorted + at + 1, list->sorted + at, (count - at) * sizeof *list->sorted);
    list->sorted[at] = policy;
}

void policies_put(struct policies *policies, enum policy_kind kind, struct policy *policy)
{
    struct policy_list *list = &policies->of[kind];
    size_t at = place_of(list->made, list->count, policy->name);
    policy->version = ++policies->last_version;
    if (at < list->count) {
        struct policy *old = list->made[at];
        policy->number = old->number;
        list->made[at] = policy;
        take_out(list->sorted, list->count, place_of(list->sorted, list->count, policy->name));
        sort_in(list, list->count - 1, policy);
        policy_free(&old);
        return;
    }
    if (list->count == list->room) {
        list->room = list->room ? list->room * 2 : 4;
        list->sorted = mem_need_array(list->sorted, list->room, sizeof *list->sorted);
        list->made = mem_need_array(list->made, list->room, sizeof *list->made);
    }
    policy->number = ++policies->last_number;
    sort_in(list, list->count, policy);
    list->made[list->count++] = policy;
}

bool policies_take(struct policies *policies, enum policy_kind kind, struct bytes name)
{
    struct policy_list *list = &policies->of[kind];
    size_t at = place_of(list->made, list->count, name);
    if (at == list->count)
        return false;
    struct policy *policy = list->made[at];
    take_out(list->made, list->count, at);
    take_out(list->sorted, list->count, place_of(list->sorted, list->count, name));
    list->count--;
    policy_free(&policy);
    return true;
}

void policies_init(struct policies *policies)
{
    TAILQ_INIT(&policies->waits);
}

void policies_free(struct policies *policies)
{
    for (unsigned kind = 0; kind < POLICY_KINDS; kind++) {
        struct policy_list *list = &policies->of[kind];
        for (size_t i = 0; i < list->count; i++)
            policy_free(&list->made[i]);
        free(list->sorted);
        free(list->made);
    }
    size_t at = 0;
    struct effective_policy *effective;
    while ((effective = map_next(&policies->effective, &at)))
        free(effective);
    map_free(&policies->effective);
}

/* ---- Finding. */

const struct policy *policies_find(const struct policies *policies, enum policy_kind kind,
                                   struct bytes name)
{
    const struct policy_list *list = &policies->of[kind];
    size_t at = place_of(list->made, list->count, name);
    return at < list->count ? list->made[at] : NULL;
}
