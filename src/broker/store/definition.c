/* Keys and values of definitions: see definition.h. Numbers are big-endian, as on the wire.
 *
 *   exchange  x name                       1 flags:u8 type:short-string arguments:long-string
 *   queue     q name                       1 flags:u8 lane:u64 [priorities:u64]
 *                                          arguments:long-string
 *   binding   b kind:u8 source destination key (short-strings) tail
 *                                          1 arguments:long-string
 *   policy    p name, o name               1 target:u8 priority:u64 pattern:long-string
 *                                          definition:long-string
 *   delay     d span:u32 start:u64 exchange
 *                                          1 lane:u64
 *
 * A queue's value has the field priorities when its flags contain QUEUE_HAS_PRIORITIES.
 *
 * The tail of a binding's key distinguishes bindings that differ in their arguments only, and keeps
 * the key below 1 KiB: it is 0 and the arguments when these are short, else 1 and two 64-bit FNV-1a
 * hashes of the arguments. The hash is written out here, because the keys on disk must not change
 * when a library does. */
#include "broker/store/definition.h"

#include "leveret/wire/table.h"

#define FORMAT 1u
/* Bytes of arguments up to which a binding's key contains them; above, it contains their hashes. */
#define SHORT_ARGUMENTS_MAX 200u

enum { EXCHANGE_DURABLE = 1, EXCHANGE_AUTO_DELETE = 2, EXCHANGE_INTERNAL = 4 };
enum {
    QUEUE_DURABLE = 1,
    QUEUE_AUTO_DELETE = 2,
    QUEUE_EXCLUSIVE = 4,
    QUEUE_HAS_PRIORITIES = 8,
    QUEUE_PAUSED = 16
};
enum { TAIL_PLAIN = 0, TAIL_HASHED = 1 };

/* ---- Writing. */

static void add_u8(struct text *out, unsigned value)
{
    uint8_t byte = (uint8_t)value;
    text_add(out, &byte, 1);
}

static void add_u64(struct text *out, uint64_t value)
{
    value = __builtin_bswap64(value);
    text_add(out, &value, sizeof value);
}

static void add_u32(struct text *out, uint32_t value)
{
    value = __builtin_bswap32(value);
    text_add(out, &value, sizeof value);
}

static void add_short(struct text *out, struct bytes value)
{
    add_u8(out, (unsigned)value.len);
    text_add_bytes(out, value);
}

static void add_long(struct text *out, struct bytes value)
{
    uint32_t len = __builtin_bswap32((uint32_t)value.len);
    text_add(out, &len, sizeof len);
    text_add_bytes(out, value);
}

static void begin(struct text *key, enum definition_kind kind, struct text *value)
{
    key->len = 0;
    add_u8(key, kind);
    if (value) {
        value->len = 0;
        add_u8(value, FORMAT);
    }
}

static uint64_t hash_from(uint64_t hash, struct bytes b)
{
    for (size_t i = 0; i < b.len; i++)
        hash = (hash ^ b.at[i]) * 0x100000001b3u;
    return hash;
}

static void add_tail(struct text *key, struct bytes arguments)
{
    if (arguments.len <= SHORT_ARGUMENTS_MAX) {
        add_u8(key, TAIL_PLAIN);
        text_add_bytes(key, arguments);
        return;
    }
    add_u8(key, TAIL_HASHED);
    add_u64(key, hash_from(0xcbf29ce484222325u, arguments));
    add_u64(key, hash_from(0x9ae16a3b2f90404fu, arguments));
}

void definition_of_exchange(const struct exchange *exchange, struct text *key, struct text *value)
{
    begin(key, DEFINITION_EXCHANGE, value);
    text_add_bytes(key, exchange->endpoint.name);
    if (!value)
        return;
    add_u8(value, (exchange->durable ? EXCHANGE_DURABLE : 0u) |
                      (exchange->auto_delete ? EXCHANGE_AUTO_DELETE : 0u) |
                      (exchange->internal ? EXCHANGE_INTERNAL : 0u));
    add_short(value, bytes_of_text(exchange->type->name));
    add_long(value, exchange->arguments);
}

void definition_of_queue(const struct queue_definition *queue, struct text *key, struct text *value)
{
    begin(key, DEFINITION_QUEUE, value);
    text_add_bytes(key, queue->name);
    if (!value)
        return;
    add_u8(value, (queue->durable ? QUEUE_DURABLE : 0u) |
                      (queue->auto_delete ? QUEUE_AUTO_DELETE : 0u) |
                      (queue->exclusive ? QUEUE_EXCLUSIVE : 0u) |
                      (queue->priorities_id ? QUEUE_HAS_PRIORITIES : 0u) |
                      (queue->paused ? QUEUE_PAUSED : 0u));
    add_u64(value, queue->lane_id);
    if (queue->priorities_id)
        add_u64(value, queue->priorities_id);
    add_long(value, queue->arguments);
}

void definition_of_delay(const struct delay_definition *delay, struct text *key, struct text *value)
{
    begin(key, DEFINITION_DELAY, value);
    add_u32(key, delay->span_ms);
    add_u64(key, delay->start_ms);
    text_add_bytes(key, delay->exchange);
    if (value)
        add_u64(value, delay->lane_id);
}

void definition_of_binding(const struct binding *binding, struct text *key, struct text *value)
{
    begin(key, DEFINITION_BINDING, value);
    add_u8(key, binding->destination->kind);
    add_short(key, binding->source->endpoint.name);
    add_short(key, binding->destination->name);
    add_short(key, binding_key(binding));
    add_tail(key, binding_arguments(binding));
    if (value)
        add_long(value, binding_arguments(binding));
}

/* The byte in the journal for each enum policy_target. */
static const uint8_t targets[] = {
    [POLICY_ALL] = 'a',           [POLICY_QUEUES] = 'q',  [POLICY_CLASSIC_QUEUES] = 'c',
    [POLICY_QUORUM_QUEUES] = 'r', [POLICY_STREAMS] = 's', [POLICY_EXCHANGES] = 'x',
};

void definition_of_policy(const struct policy_definition *policy, struct text *key,
                          struct text *value)
{
    begin(key, policy->operator_policy ? DEFINITION_OPERATOR_POLICY : DEFINITION_POLICY, value);
    text_add_bytes(key, policy->name);
    if (!value)
        return;
    add_u8(value, targets[policy->target]);
    add_u64(value, (uint64_t)policy->priority);
    add_long(value, policy->pattern);
    add_long(value, policy->definition);
}

/* ---- Reading. */

/* Begins to read a definition; afterwards k stands behind the kind and v behind the format. */
static enum status open_definition(struct bytes key, enum definition_kind kind, struct bytes value,
                                   struct reader *k, struct reader *v)
{
    *k = reader_of(key);
    *v = reader_of(value);
    if (read_u8(k) != kind || k->failed)
        return STATUS_CORRUPT;
    uint8_t format = read_u8(v);
    if (v->failed)
        return STATUS_CORRUPT;
    return format == FORMAT ? STATUS_OK : STATUS_VERSION;
}

/* Reads the table at the end of a value. Returns false when the value is malformed. */
static bool close_value(struct reader *v, struct bytes *arguments)
{
    *arguments = read_long_string(v);
    return !v->failed && reader_left(v) == 0 && table_check(*arguments) == STATUS_OK;
}

static struct bytes rest(struct reader *r)
{
    return read_bytes(r, reader_left(r));
}

enum status definition_read_exchange(struct bytes key, struct bytes value,
                                     struct exchange_declaration *out)
{
    struct reader k, v;
    enum status status = open_definition(key, DEFINITION_EXCHANGE, value, &k, &v);
    if (status != STATUS_OK)
        return status;
    *out = (struct exchange_declaration){.name = rest(&k)};
    uint8_t flags = read_u8(&v);
    out->durable = flags & EXCHANGE_DURABLE;
    out->auto_delete = flags & EXCHANGE_AUTO_DELETE;
    out->internal = flags & EXCHANGE_INTERNAL;
    out->type = read_short_string(&v);
    return close_value(&v, &out->arguments) && out->name.len <= NAME_BYTES_MAX ? STATUS_OK
                                                                               : STATUS_CORRUPT;
}

enum status definition_read_queue(struct bytes key, struct bytes value,
                                  struct queue_definition *out)
{
    struct reader k, v;
    enum status status = open_definition(key, DEFINITION_QUEUE, value, &k, &v);
    if (status != STATUS_OK)
        return status;
    *out = (struct queue_definition){.name = rest(&k)};
    uint8_t flags = read_u8(&v);
    out->durable = flags & QUEUE_DURABLE;
    out->auto_delete = flags & QUEUE_AUTO_DELETE;
    out->exclusive = flags & QUEUE_EXCLUSIVE;
    out->paused = flags & QUEUE_PAUSED;
    out->lane_id = read_u64(&v);
    if (flags & QUEUE_HAS_PRIORITIES)
        out->priorities_id = read_u64(&v);
    return close_value(&v, &out->arguments) && out->name.len <= NAME_BYTES_MAX ? STATUS_OK
                                                                               : STATUS_CORRUPT;
}

enum status definition_read_delay(struct bytes key, struct bytes value,
                                  struct delay_definition *out)
{
    struct reader k, v;
    enum status status = open_definition(key, DEFINITION_DELAY, value, &k, &v);
    if (status != STATUS_OK)
        return status;
    *out = (struct delay_definition){.span_ms = read_u32(&k)};
    out->start_ms = read_u64(&k);
    out->exchange = rest(&k);
    out->lane_id = read_u64(&v);
    return k.failed || v.failed || reader_left(&v) || out->exchange.len > NAME_BYTES_MAX
               ? STATUS_CORRUPT
               : STATUS_OK;
}

enum status definition_read_binding(struct bytes key, struct bytes value,
                                    struct binding_declaration *out)
{
    struct reader k, v;
    enum status status = open_definition(key, DEFINITION_BINDING, value, &k, &v);
    if (status != STATUS_OK)
        return status;
    uint8_t kind = read_u8(&k);
    *out = (struct binding_declaration){.kind = kind == ENDPOINT_QUEUE ? ENDPOINT_QUEUE
                                                                       : ENDPOINT_EXCHANGE};
    out->source = read_short_string(&k);
    out->destination = read_short_string(&k);
    out->routing_key = read_short_string(&k);
    struct bytes stored_tail = rest(&k);
    if (k.failed || kind > ENDPOINT_EXCHANGE || !close_value(&v, &out->arguments))
        return STATUS_CORRUPT;
    struct text tail = {0};
    add_tail(&tail, out->arguments);
    bool same = bytes_equal(text_bytes(&tail), stored_tail);
    text_free(&tail);
    return same ? STATUS_OK : STATUS_CORRUPT;
}

enum status definition_read_policy(struct bytes key, struct bytes value,
                                   struct policy_definition *out)
{
    struct reader k, v;
    bool operator_policy = key.len && key.at[0] == DEFINITION_OPERATOR_POLICY;
    enum status status = open_definition(
        key, operator_policy ? DEFINITION_OPERATOR_POLICY : DEFINITION_POLICY, value, &k, &v);
    if (status != STATUS_OK)
        return status;
    *out = (struct policy_definition){.operator_policy = operator_policy, .name = rest(&k)};
    const uint8_t *target = memchr(targets, read_u8(&v), sizeof targets);
    out->priority = (int64_t)read_u64(&v);
    out->pattern = read_long_string(&v);
    if (!target || !close_value(&v, &out->definition))
        return STATUS_CORRUPT;
    out->target = (enum policy_target)(target - targets);
    return STATUS_OK;
}
