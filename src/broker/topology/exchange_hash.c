/* Exchanges of type x-consistent-hash: each message goes to one destination, chosen by a hash of
 * its routing key, of a header (argument hash-header) or of a property (hash-property). A binding's
 * key is its weight.
 *
 * Normal course: hash → hash_ring.h → the destination. A route costs one look-up in the ring,
 * however many bindings there are. A destination that is bound more than once has the sum of the
 * weights. Its points depend on its kind and name, so that they are the same after a restart; when
 * its weight changes, only the difference in points is added or removed.
 *
 * What can go wrong: a binding key that is not a weight, arguments that contradict each other:
 * refused with the texts of RabbitMQ's plugin. A message without the header or property: hashed as
 * if its value were empty. */
#include <stdio.h>

#include "broker/topology/hash_ring.h"
#include "broker/topology/routing.h"
#include "broker/topology/stable_hash.h"
#include "broker/topology/topology.h"
#include "leveret/base/check.h"
#include "leveret/base/map.h"
#include "leveret/base/mem.h"
#include "leveret/wire/properties.h"
#include "leveret/wire/table.h"

/* The largest weight of a binding; a larger one is refused. A binding of this weight takes 2 MB of
 * memory and 10 ms to make. */
#define WEIGHT_MAX 4096u

struct target {
    struct endpoint *destination; /* the map's key is the bytes of this pointer */
    uint64_t weight, seed;
};

enum hash_of { HASH_ROUTING_KEY, HASH_HEADER, HASH_PROPERTY };

struct hash_state {
    struct hash_ring ring;
    struct map targets;
    enum hash_of of;
    struct bytes header;
    enum property property;
    struct text scratch;
};

/* ---- The value that is hashed. */

static const struct {
    const char *name;
    enum property property;
} properties_known[] = {
    {"correlation_id", PROPERTY_CORRELATION_ID},
    {"message_id", PROPERTY_MESSAGE_ID},
    {"timestamp", PROPERTY_TIMESTAMP},
};

/* The property of this name, or 0. */
static enum property property_find(struct bytes name)
{
    for (size_t i = 0; i < sizeof properties_known / sizeof *properties_known; i++)
        if (bytes_equal_text(name, properties_known[i].name))
            return properties_known[i].property;
    return 0;
}

static struct bytes property_value(struct hash_state *state, const struct message *message)
{
    struct properties properties;
    if (properties_decode(message_properties(message), &properties) != STATUS_OK ||
        !(properties.present & state->property))
        return (struct bytes){0};
    if (state->property == PROPERTY_CORRELATION_ID)
        return properties.correlation_id;
    if (state->property == PROPERTY_MESSAGE_ID)
        return properties.message_id;
    const struct field seconds = {.type = FIELD_TIMESTAMP, .value.timestamp = properties.timestamp};
    state->scratch.len = 0;
    field_print(&state->scratch, &seconds);
    return text_bytes(&state->scratch);
}

static struct bytes header_value(struct hash_state *state, const struct message *message)
{
    struct field field;
    if (!message->has_headers ||
        !table_find_bytes(properties_headers(message_properties(message)), state->header, &field))
        return (struct bytes){0};
    if (field.type == FIELD_STRING || field.type == FIELD_BYTES)
        return field.value.bytes;
    state->scratch.len = 0;
    field_print(&state->scratch, &field);
    return text_bytes(&state->scratch);
}

static struct bytes hashed_value(struct hash_state *state, const struct route_input *input)
{
    if (state->of == HASH_ROUTING_KEY)
        return input->keys[0];
    if (!input->message)
        return (struct bytes){0};
    return state->of == HASH_HEADER ? header_value(state, input->message)
                                    : property_value(state, input->message);
}

/* ---- Arguments. */

static bool text_argument(struct bytes arguments, const char *name, struct field *out, bool *wrong)
{
    if (!table_find(arguments, name, out))
        return false;
    *wrong |= out->type != FIELD_STRING;
    return true;
}

static enum status hash_validate(struct bytes arguments, struct refusal *refusal)
{
    struct field header, property;
    bool wrong = false;
    bool by_header = text_argument(arguments, "hash-header", &header, &wrong);
    bool by_property = text_argument(arguments, "hash-property", &property, &wrong);
    if (wrong)
        return refuse(refusal, STATUS_PRECONDITION_FAILED,
                      "hash-header and hash-property must be strings");
    if (by_header && by_property)
        return refuse(refusal, STATUS_PRECONDITION_FAILED,
                      "hash-header and hash-property are mutually exclusive");
    if (by_property && !property_find(property.value.bytes))
        return refuse(refusal, STATUS_PRECONDITION_FAILED, "Unsupported property: %.*s",
                      BYTES_PRINT(property.value.bytes));
    return STATUS_OK;
}

static void hash_open(struct exchange *exchange)
{
    struct hash_state *state = mem_need(sizeof *state);
    struct field field;
    if (table_find(exchange->arguments, "hash-header", &field)) {
        state->of = HASH_HEADER;
        state->header = field.value.bytes;
    } else if (table_find(exchange->arguments, "hash-property", &field)) {
        state->of = HASH_PROPERTY;
        state->property = property_find(field.value.bytes);
    }
    exchange->state = state;
}

static void hash_close(struct exchange *exchange)
{
    struct hash_state *state = exchange->state;
    hash_ring_free(&state->ring);
    map_free(&state->targets);
    text_free(&state->scratch);
    free(state);
    exchange->state = NULL;
}

/* ---- Bindings. */

/* Reads a weight as Erlang reads an integer: a sign, digits, nothing else. *out: UINT64_MAX when it
 * is too large, 0 when it is below 1. False when key is not an integer. */
static bool weight_read(struct bytes key, uint64_t *out)
{
    size_t at = 0;
    bool negative = key.len && key.at[0] == '-';
    if (key.len && (negative || key.at[0] == '+'))
        at++;
    if (at == key.len)
        return false;
    for (*out = 0; at < key.len; at++) {
        if (key.at[at] < '0' || key.at[at] > '9')
            return false;
        *out = *out > WEIGHT_MAX ? UINT64_MAX : *out * 10 + (key.at[at] - '0');
    }
    if (negative)
        *out = 0;
    return true;
}

static enum status hash_validate_binding(struct bytes exchange_arguments, struct bytes routing_key,
                                         struct bytes arguments, struct refusal *refusal)
{
    uint64_t weight;
    (void)exchange_arguments;
    (void)arguments;
    if (!weight_read(routing_key, &weight))
        return refuse(refusal, STATUS_PRECONDITION_FAILED,
                      routing_key.len ? "The binding key must be an integer: <<\"%.*s\">>"
                                      : "The binding key must be an integer: <<%.*s>>",
                      BYTES_PRINT(routing_key));
    if (weight < 1)
        return refuse(refusal, STATUS_PRECONDITION_FAILED,
                      "The binding key must be greater than 0");
    if (weight > WEIGHT_MAX)
        return refuse(refusal, STATUS_PRECONDITION_FAILED,
                      "The binding key must not be greater than %u", WEIGHT_MAX);
    return STATUS_OK;
}

static uint64_t binding_weight(const struct binding *binding)
{
    uint64_t weight;
    CHECK(weight_read(binding_key(binding), &weight)); /* hash_validate_binding has checked it */
    return weight;
}

/* A ring is at most three quarters full, so it has at least a third more places than points. */
static void hash_size(const struct binding *binding, struct binding_size *out)
{
    out->ring_bytes += binding_weight(binding) * RING_POINTS * sizeof(struct ring_point) * 4 / 3;
}

static struct bytes target_key(struct endpoint *const *destination)
{
    return bytes_of(destination, sizeof *destination);
}

static void hash_bind(struct exchange *exchange, struct binding *binding)
{
    struct hash_state *state = exchange->state;
    struct target *target = map_get(&state->targets, target_key(&binding->destination));
    uint64_t weight = binding_weight(binding);
    if (!target) {
        target = mem_need(sizeof *target);
        target->destination = binding->destination;
        target->seed = stable_hash(binding->destination->name, binding->destination->kind);
        (void)map_put(&state->targets, target_key(&target->destination), target);
    }
    hash_ring_add(&state->ring, target, target->seed, target->weight, target->weight + weight);
    target->weight += weight;
}

static void hash_unbind(struct exchange *exchange, struct binding *binding)
{
    struct hash_state *state = exchange->state;
    struct target *target = map_get(&state->targets, target_key(&binding->destination));
    uint64_t weight = binding_weight(binding);
    target->weight -= weight;
    hash_ring_remove(&state->ring, target, target->seed, target->weight, target->weight + weight);
    if (target->weight == 0) {
        (void)map_remove(&state->targets, target_key(&target->destination));
        free(target);
    }
}

/* ---- Routing. */

static void hash_route(struct exchange *exchange, struct routing *routing)
{
    struct hash_state *state = exchange->state;
    const struct target *target =
        hash_ring_find(&state->ring, stable_hash(hashed_value(state, routing->input), 0));
    routing->result->work++;
    if (target)
        routing_reach(routing, target->destination);
}

const struct exchange_type exchange_type_hash = {
    .name = "x-consistent-hash",
    .validate = hash_validate,
    .validate_binding = hash_validate_binding,
    .open = hash_open,
    .close = hash_close,
    .size = hash_size,
    .bind = hash_bind,
    .unbind = hash_unbind,
    .route = hash_route,
};
