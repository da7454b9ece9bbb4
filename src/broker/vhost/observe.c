/* Part of vhost (leveret/broker/vhost.h): what a vhost does when its topology changes. See
 * observe.h.
 *
 * Normal course: the topology asks whether the account has room for an exchange or a binding; when
 * it is made or removed, an event is announced and its definition is put into the journal or
 * erased. What can go wrong: the account is full: the topology refuses the change. During recovery
 * nothing is announced or journalled. */
#include "broker/vhost/observe.h"

#include <inttypes.h>

#include "broker/publish/history.h"
#include "broker/store/definition.h"
#include "broker/vhost/announce.h"
#include "leveret/wire/table.h"

static void announce_exchange(struct vhost *vhost, const struct exchange *exchange, bool made)
{
    struct text headers = {0};
    if (!vhost->notices.watched)
        return;
    table_put_string(&headers, "name", exchange->endpoint.name);
    table_put_string(&headers, "vhost", vhost->options.name);
    table_put_string(&headers, "type", bytes_of_text(exchange->type->name));
    table_put_bool(&headers, "durable", exchange->durable);
    table_put_bool(&headers, "auto_delete", exchange->auto_delete);
    table_put_bool(&headers, "internal", exchange->internal);
    notice_put_arguments(&headers, exchange->arguments);
    notice_tell(&vhost->notices, made ? "exchange.created" : "exchange.deleted", &headers);
}

static void announce_binding(struct vhost *vhost, const struct binding *binding, bool made)
{
    bool to_queue = binding->destination->kind == ENDPOINT_QUEUE;
    struct text headers = {0};
    if (!vhost->notices.watched)
        return;
    table_put_string(&headers, "source_name", binding->source->endpoint.name);
    table_put_string(&headers, "source_kind", BYTES_LITERAL("exchange"));
    table_put_string(&headers, "destination_name", binding->destination->name);
    table_put_string(&headers, "destination_kind",
                     to_queue ? BYTES_LITERAL("queue") : BYTES_LITERAL("exchange"));
    table_put_string(&headers, "routing_key", binding_key(binding));
    table_put_string(&headers, "vhost", vhost->options.name);
    notice_put_arguments(&headers, binding_arguments(binding));
    notice_tell(&vhost->notices, made ? "binding.created" : "binding.deleted", &headers);
}

/* Puts a definition on record, or erases it; frees both texts. */
static void record(struct vhost *vhost, bool exists, struct text *key, struct text *value)
{
    if (exists)
        store_put(&vhost->store, key, value);
    else
        store_erase(&vhost->store, key);
    text_free(key);
    text_free(value);
}

static void exchange_changed(struct vhost *vhost, const struct exchange *exchange, bool added)
{
    if (vhost->store.recovering)
        return;
    announce_exchange(vhost, exchange, added);
    if (!exchange->durable)
        return;
    struct text key = {0}, value = {0};
    definition_of_exchange(exchange, &key, &value);
    record(vhost, added, &key, &value);
}

static void exchange_added(void *context, const struct exchange *exchange)
{
    struct vhost *vhost = context;
    struct exchange *made = topology_exchange(vhost->topology, exchange->endpoint.name);
    unsigned policy_work = 0;
    made->sampled.born_wall_ms = vhost->store.call.now.wall_ms;
    made->dedup = dedup_new(&vhost->dedups, &made->endpoint, made->arguments,
                            made->type == &exchange_type_deduplication);
    if (made->dedup)
        made->dedup->stored = made->durable;
    made->history = history_new(vhost, made);
    census_exchanges(vhost->options.census, 1);
    if (!vhost->store.recovering && !policies_are_none(&vhost->policies))
        policy_apply_to_exchange(&vhost->policies, vhost->topology, made, &policy_work);
    exchange_changed(context, exchange, true);
}

static uint64_t exchange_size(size_t name_len, size_t arguments_len)
{
    return sizeof(struct exchange) + HOLDING_PLACES + name_len + arguments_len;
}

static enum status exchange_admitted(void *context, const struct exchange_declaration *d,
                                     struct refusal *refusal)
{
    struct vhost *vhost = context;
    uint64_t max;
    if (!vhost->store.recovering && census_exchanges_full(vhost->options.census, &max))
        return refuse(refusal, STATUS_PRECONDITION_FAILED,
                      "cannot declare exchange '%.*s' in vhost '%.*s': exchange limit of %" PRIu64
                      " is reached",
                      BYTES_PRINT(d->name), BYTES_PRINT(vhost->options.name), max);
    return holding_take(&vhost->store.holdings, ACCOUNT_DEFINITIONS,
                        exchange_size(d->name.len, d->arguments.len), "one more exchange", refusal);
}

static enum status binding_admitted(void *context, const struct binding_size *size,
                                    struct refusal *refusal)
{
    struct vhost *vhost = context;
    enum status status = holding_take(&vhost->store.holdings, ACCOUNT_BINDINGS, size->bytes,
                                      "one more binding", refusal);
    if (status || !size->ring_bytes)
        return status;
    status = holding_take(&vhost->store.holdings, ACCOUNT_HASH_RINGS, size->ring_bytes,
                          "one more binding of this weight", refusal);
    if (status)
        holding_give(&vhost->store.holdings, ACCOUNT_BINDINGS, size->bytes);
    return status;
}

static void binding_gone(void *context, const struct binding_size *size)
{
    struct vhost *vhost = context;
    holding_give(&vhost->store.holdings, ACCOUNT_BINDINGS, size->bytes);
    holding_give(&vhost->store.holdings, ACCOUNT_HASH_RINGS, size->ring_bytes);
}

static void exchange_removed(void *context, const struct exchange *exchange)
{
    struct vhost *vhost = context;
    census_exchanges(vhost->options.census, -1);
    holding_give(&vhost->store.holdings, ACCOUNT_DEFINITIONS,
                 exchange_size(exchange->endpoint.name.len, exchange->arguments.len));
    struct dedup *dedup = exchange->dedup;
    dedup_delete(&dedup);
    struct history *history = exchange->history;
    history_free(&history);
    if (exchange->delay)
        delay_delete(exchange->delay);
    struct effective_policy *policy = exchange->policy;
    policy_leave(&vhost->policies, &policy);
    exchange_changed(context, exchange, false);
}

static void binding_changed(struct vhost *vhost, const struct binding *binding, bool added)
{
    if (vhost->store.recovering)
        return;
    announce_binding(vhost, binding, added);
    announce_bound(vhost, binding);
    if (!binding_stored(binding))
        return;
    struct text key = {0}, value = {0};
    definition_of_binding(binding, &key, &value);
    record(vhost, added, &key, &value);
}

static void binding_added(void *context, const struct binding *binding)
{
    binding_changed(context, binding, true);
}

static void binding_removed(void *context, const struct binding *binding)
{
    binding_changed(context, binding, false);
}

struct topology_observer vhost_observer(struct vhost *vhost)
{
    return (struct topology_observer){
        .context = vhost,
        .exchange_added = exchange_added,
        .exchange_removed = exchange_removed,
        .binding_added = binding_added,
        .binding_removed = binding_removed,
        .knows = dedup_knows,
        .exchange_admitted = exchange_admitted,
        .binding_admitted = binding_admitted,
        .binding_gone = binding_gone,
    };
}
