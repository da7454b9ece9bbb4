/* Part of gather: how each kind of object is listed, and how its info is copied. */
#include "admin/listing/gather.h"

static size_t list_queues(struct vhost *vhost, uint64_t *after, void *infos, size_t max)
{
    return vhost_list_queues(vhost, after, infos, max);
}

static void keep_queue(void *info, struct arena *arena)
{
    struct queue_info *q = info;
    q->name = arena_keep(arena, q->name);
    q->arguments = arena_keep(arena, q->arguments);
    q->owner_name = arena_keep(arena, q->owner_name);
    q->ready_by_priority = arena_keep(arena, q->ready_by_priority);
    q->policy = arena_keep(arena, q->policy);
    q->operator_policy = arena_keep(arena, q->operator_policy);
    q->effective_definition = arena_keep(arena, q->effective_definition);
    q->exclusive_consumer = arena_keep(arena, q->exclusive_consumer);
    q->single_active_consumer = arena_keep(arena, q->single_active_consumer);
}

static size_t list_exchanges(struct vhost *vhost, uint64_t *after, void *infos, size_t max)
{
    return vhost_list_exchanges(vhost, after, infos, max);
}

static void keep_exchange(void *info, struct arena *arena)
{
    struct exchange_info *x = info;
    x->name = arena_keep(arena, x->name);
    x->type = arena_keep(arena, x->type);
    x->arguments = arena_keep(arena, x->arguments);
    x->policy = arena_keep(arena, x->policy);
}

static size_t list_policies(struct vhost *vhost, uint64_t *after, void *infos, size_t max)
{
    return vhost_list_policies(vhost, false, after, infos, max);
}

static size_t list_operator_policies(struct vhost *vhost, uint64_t *after, void *infos, size_t max)
{
    return vhost_list_policies(vhost, true, after, infos, max);
}

static void keep_policy(void *info, struct arena *arena)
{
    struct policy_info *p = info;
    p->name = arena_keep(arena, p->name);
    p->pattern = arena_keep(arena, p->pattern);
    p->definition = arena_keep(arena, p->definition);
}

/* Stored bindings come first, then the default exchange's: each queue implies one. The top bit of
 * *after is set once the second part has begun. */
#define IMPLIED (UINT64_C(1) << 63)
/* Bindings of the default exchange that one visit lists at most. */
#define IMPLIED_SLICE 128u

static size_t list_implied(struct vhost *vhost, uint64_t *after, struct binding_info *out,
                           size_t max)
{
    struct queue_info queues[IMPLIED_SLICE];
    uint64_t at = *after & ~IMPLIED;
    size_t n = vhost_list_queues(vhost, &at, queues, max < IMPLIED_SLICE ? max : IMPLIED_SLICE);
    for (size_t i = 0; i < n; i++)
        out[i] =
            (struct binding_info){.destination = queues[i].name, .routing_key = queues[i].name};
    *after = at | IMPLIED;
    return n;
}

static size_t list_bindings(struct vhost *vhost, uint64_t *after, void *infos, size_t max)
{
    if (!(*after & IMPLIED)) {
        size_t n = vhost_list_bindings(vhost, after, infos, max);
        if (n)
            return n;
        *after = IMPLIED;
    }
    return list_implied(vhost, after, infos, max);
}

static void keep_binding(void *info, struct arena *arena)
{
    struct binding_info *b = info;
    b->source = arena_keep(arena, b->source);
    b->destination = arena_keep(arena, b->destination);
    b->routing_key = arena_keep(arena, b->routing_key);
    b->arguments = arena_keep(arena, b->arguments);
}

static size_t list_consumers(struct vhost *vhost, uint64_t *after, void *infos, size_t max)
{
    return vhost_list_consumers(vhost, after, infos, max);
}

static void keep_consumer(void *info, struct arena *arena)
{
    struct consumer_info *c = info;
    c->queue = arena_keep(arena, c->queue);
    c->tag = arena_keep(arena, c->tag);
    c->arguments = arena_keep(arena, c->arguments);
    c->peer_name = arena_keep(arena, c->peer_name);
    c->user = arena_keep(arena, c->user);
}

static size_t list_channels(struct vhost *vhost, uint64_t *after, void *infos, size_t max)
{
    return vhost_list_channels(vhost, after, infos, max);
}

static void keep_channel(void *info, struct arena *arena)
{
    struct channel_info *c = info;
    c->peer_name = arena_keep(arena, c->peer_name);
    c->user = arena_keep(arena, c->user);
}

static void keep_session(void *info, struct arena *arena)
{
    struct session_info *s = info;
    s->name = arena_keep(arena, s->name);
    s->user = arena_keep(arena, s->user);
    s->vhost = arena_keep(arena, s->vhost);
    s->client_properties = arena_keep(arena, s->client_properties);
    s->peer_host = arena_keep(arena, s->peer_host);
    s->host = arena_keep(arena, s->host);
    s->mechanism = arena_keep(arena, s->mechanism);
    if (s->tls)
        s->tls = (const struct tls_facts *)(const void *)arena_keep(
                     arena, bytes_of(s->tls, sizeof *s->tls))
                     .at;
}

const struct gather_kind gather_queues = {sizeof(struct queue_info), list_queues, keep_queue,
                                          false};
const struct gather_kind gather_exchanges = {sizeof(struct exchange_info), list_exchanges,
                                             keep_exchange, false};
const struct gather_kind gather_bindings = {sizeof(struct binding_info), list_bindings,
                                            keep_binding, false};
const struct gather_kind gather_consumers = {sizeof(struct consumer_info), list_consumers,
                                             keep_consumer, false};
const struct gather_kind gather_channels = {sizeof(struct channel_info), list_channels,
                                            keep_channel, true};
const struct gather_kind gather_sessions = {sizeof(struct session_info), NULL, keep_session, false};
const struct gather_kind gather_policies = {sizeof(struct policy_info), list_policies, keep_policy,
                                            false};
const struct gather_kind gather_operator_policies = {sizeof(struct policy_info),
                                                     list_operator_policies, keep_policy, false};
