/* Exchanges and bindings: making, checking, removing.
 *
 * Normal course of a binding: its identity (numbers of both ends, key, sorted arguments) is looked
 * up in one hash map; a new one goes into that map, the roster, the lists of its two ends and the
 * index of its exchange's type.
 *
 * What can go wrong. Removing a binding can leave an auto-delete exchange without bindings;
 * removing that exchange removes bindings of other exchanges, and so on. Such exchanges wait in
 * `doomed` until the end of the call, so that a long chain causes no recursion and nothing is freed
 * while a caller walks a list. */
#include "broker/topology/topology.h"

#include "broker/call/equivalent.h"
#include "broker/topology/dedup_arguments.h"
#include "broker/topology/topology_state.h"
#include "leveret/base/check.h"
#include "leveret/base/mem.h"
#include "leveret/wire/table.h"
#include "leveret/wire/table_sort.h"

/* Bytes that a binding takes in the map, the roster and one place of an index, by estimate. */
#define BINDING_PLACES 160u

/* ---- Small helpers */

bool binding_stored(const struct binding *binding)
{
    return binding->source->endpoint.stored && binding->destination->stored;
}

static void endpoint_init(struct topology *t, struct endpoint *endpoint, enum endpoint_kind kind,
                          struct bytes name, bool stored)
{
    *endpoint = (struct endpoint){
        .kind = kind, .stored = stored, .number = ++t->last_endpoint, .name = name};
    TAILQ_INIT(&endpoint->bindings_to);
    t->version++;
}

/* ---- Exchanges */

static struct exchange *exchange_new(struct topology *t, const struct exchange_type *type,
                                     const struct exchange_declaration *d)
{
    struct exchange *x = mem_need(sizeof *x + d->name.len + d->arguments.len);
    if (d->name.len)
        memcpy(x->data, d->name.at, d->name.len);
    if (d->arguments.len)
        memcpy(x->data + d->name.len, d->arguments.at, d->arguments.len);
    endpoint_init(t, &x->endpoint, ENDPOINT_EXCHANGE, bytes_of(x->data, d->name.len), d->durable);
    x->arguments = bytes_of(x->data + d->name.len, d->arguments.len);
    x->type = type;
    x->topology = t;
    x->durable = d->durable;
    x->auto_delete = d->auto_delete;
    x->internal = d->internal;
    TAILQ_INIT(&x->bindings_from);
    struct field alternate;
    if (table_find(x->arguments, "alternate-exchange", &alternate))
        x->alternate = alternate.value.bytes; /* "" does not mean the default exchange here */
    if (type->open)
        type->open(x);
    (void)map_put(&t->exchanges, x->endpoint.name, x);
    x->number = roster_add(&t->exchange_list, x);
    return x;
}

void topology_set_alternate(struct topology *topology, struct exchange *exchange,
                            struct bytes alternate)
{
    struct field own;
    if (table_find(exchange->arguments, "alternate-exchange", &own) ||
        (!alternate.at && !exchange->alternate.at))
        return;
    exchange->alternate = alternate;
    topology->version++;
}

/* Frees an exchange that has no bindings left. */
static void exchange_free(struct exchange **exchange)
{
    struct exchange *x = *exchange;
    *exchange = NULL;
    if (x->type->close)
        x->type->close(x);
    free(x);
}

static enum status refuse_default(struct refusal *refusal)
{
    return refuse(refusal, STATUS_ACCESS_REFUSED,
                  "operation not permitted on the default exchange");
}

static enum status check_arguments(const struct exchange_type *type,
                                   const struct exchange_declaration *d, struct bytes vhost,
                                   struct refusal *refusal)
{
    struct field alternate;
    if (table_find(d->arguments, "alternate-exchange", &alternate) &&
        alternate.type != FIELD_STRING)
        return refuse(refusal, STATUS_PRECONDITION_FAILED,
                      "invalid type '%s' for arg 'alternate-exchange' in exchange '%.*s' in vhost "
                      "'%.*s'",
                      field_type_name(alternate.type), BYTES_PRINT(d->name), BYTES_PRINT(vhost));
    enum status status = dedup_check_exchange(d->arguments, false, refusal);
    if (status == STATUS_OK && type->validate)
        status = type->validate(d->arguments, refusal);
    return status;
}

static enum status check_equivalent(const struct topology *t, const struct exchange *x,
                                    const struct exchange_declaration *d, struct refusal *refusal)
{
    struct equivalence check = {refusal, "exchange", x->endpoint.name, t->vhost};
    enum status status = equivalent_text(&check, "type", d->type, bytes_of_text(x->type->name));
    if (status == STATUS_OK)
        status = equivalent_flag(&check, "durable", d->durable, x->durable);
    if (status == STATUS_OK)
        status = equivalent_flag(&check, "auto_delete", d->auto_delete, x->auto_delete);
    if (status == STATUS_OK)
        status = equivalent_flag(&check, "internal", d->internal, x->internal);
    if (status == STATUS_OK)
        status = equivalent_argument(&check, "alternate-exchange", d->arguments, x->arguments);
    return status;
}

/* Errors: PRECONDITION_FAILED; ACCESS_REFUSED (the default exchange). */
static enum status find_type(const struct exchange_declaration *d, const struct exchange_type **out,
                             struct refusal *refusal)
{
    *out = exchange_type_find(d->type);
    if (!*out)
        return refuse(refusal, STATUS_PRECONDITION_FAILED, "%s exchange type '%.*s'",
                      d->type.len ? "unknown" : "invalid", BYTES_PRINT(d->type));
    return d->name.len ? STATUS_OK : refuse_default(refusal);
}

static enum status check_new(const struct exchange_type *type, const struct exchange_declaration *d,
                             bool reserve, struct bytes vhost, struct refusal *refusal)
{
    if (reserve && bytes_start_with(d->name, "amq."))
        return refuse(refusal, STATUS_ACCESS_REFUSED,
                      "exchange name '%.*s' contains reserved prefix 'amq.*'",
                      BYTES_PRINT(d->name));
    return check_arguments(type, d, vhost, refusal);
}

enum status topology_check_new(const struct exchange_declaration *declaration, struct bytes vhost,
                               struct refusal *refusal)
{
    const struct exchange_type *type;
    enum status status = find_type(declaration, &type, refusal);
    return status == STATUS_OK ? check_new(type, declaration, true, vhost, refusal) : status;
}

static enum status declare(struct topology *t, const struct exchange_declaration *d, bool reserve,
                           struct exchange **out, struct refusal *refusal)
{
    const struct exchange_type *type;
    enum status status = find_type(d, &type, refusal);
    if (status != STATUS_OK)
        return status;
    struct exchange *x = topology_exchange(t, d->name);
    if (x) {
        status = check_equivalent(t, x, d, refusal);
    } else {
        status = check_new(type, d, reserve, t->vhost, refusal);
        if (status == STATUS_OK && t->observer.exchange_admitted)
            status = t->observer.exchange_admitted(t->observer.context, d, refusal);
        if (status == STATUS_OK) {
            x = exchange_new(t, type, d);
            if (t->observer.exchange_added)
                t->observer.exchange_added(t->observer.context, x);
        }
    }
    if (out)
        *out = status == STATUS_OK ? x : NULL;
    return status;
}

enum status topology_declare(struct topology *topology,
                             const struct exchange_declaration *declaration, struct exchange **out,
                             struct refusal *refusal)
{
    if (!declaration->passive)
        return declare(topology, declaration, true, out, refusal);
    if (declaration->name.len == 0)
        return refuse_default(refusal);
    struct exchange *x = topology_exchange(topology, declaration->name);
    if (out)
        *out = x;
    return x ? STATUS_OK : refuse_missing(refusal, "exchange", declaration->name, topology->vhost);
}

enum status topology_restore(struct topology *topology,
                             const struct exchange_declaration *declaration, struct exchange **out,
                             struct refusal *refusal)
{
    return declare(topology, declaration, false, out, refusal);
}

enum status topology_check_publish(const struct topology *topology, const struct exchange *exchange,
                                   struct refusal *refusal)
{
    if (!exchange->internal)
        return STATUS_OK;
    return refuse(refusal, STATUS_ACCESS_REFUSED,
                  "cannot publish to internal exchange '%.*s' in vhost '%.*s'",
                  BYTES_PRINT(exchange->endpoint.name), BYTES_PRINT(topology->vhost));
}

/* ---- Removing */

static struct binding_size size_of(const struct binding *b)
{
    struct binding_size size = {.bytes = sizeof *b + BINDING_PLACES + binding_identity(b).len};
    if (b->source->type->size)
        b->source->type->size(b, &size);
    return size;
}

/* Callers that empty a list by it are marked NOLINT: see end_get in dispatch.c. */
static void remove_binding(struct topology *t, struct binding *b)
{
    struct exchange *source = b->source;
    if (t->observer.binding_gone) {
        struct binding_size size = size_of(b);
        t->observer.binding_gone(t->observer.context, &size);
    }
    if (source->type->unbind)
        source->type->unbind(source, b);
    TAILQ_REMOVE(&source->bindings_from, b, from_link);
    source->bindings_from_count--;
    TAILQ_REMOVE(&b->destination->bindings_to, b, to_link);
    (void)map_remove(&t->bindings, binding_identity(b));
    roster_remove(&t->binding_list, b->number);
    t->version++;
    if (t->observer.binding_removed)
        t->observer.binding_removed(t->observer.context, b);
    free(b);
    if (source->auto_delete && !source->doomed && source->bindings_from_count == 0) {
        source->doomed = true;
        topology_stack_push(&t->doomed, source);
    }
}

static void remove_exchange(struct topology *t, struct exchange *x)
{
    struct binding *b;
    x->doomed = true;
    while ((b = TAILQ_FIRST(&x->bindings_from)))
        remove_binding(t, b); /* NOLINT(clang-analyzer-unix.Malloc) */
    while ((b = TAILQ_FIRST(&x->endpoint.bindings_to)))
        remove_binding(t, b); /* NOLINT(clang-analyzer-unix.Malloc) */
    (void)map_remove(&t->exchanges, x->endpoint.name);
    roster_remove(&t->exchange_list, x->number);
    t->version++;
    if (t->observer.exchange_removed)
        t->observer.exchange_removed(t->observer.context, x);
    exchange_free(&x);
}

static void remove_doomed(struct topology *t)
{
    while (t->doomed.count)
        remove_exchange(t, t->doomed.exchanges[--t->doomed.count]);
}

enum status topology_check_delete(const struct topology *topology, struct bytes name,
                                  bool if_unused, struct refusal *refusal)
{
    if (name.len == 0)
        return refuse_default(refusal);
    if (bytes_start_with(name, "amq."))
        return refuse(refusal, STATUS_ACCESS_REFUSED,
                      "deletion of system exchange '%.*s' in vhost '%.*s' not allowed",
                      BYTES_PRINT(name), BYTES_PRINT(topology->vhost));
    const struct exchange *x = topology_exchange(topology, name);
    if (x && if_unused && x->bindings_from_count)
        return refuse(refusal, STATUS_PRECONDITION_FAILED, "exchange '%.*s' in vhost '%.*s' in use",
                      BYTES_PRINT(name), BYTES_PRINT(topology->vhost));
    return STATUS_OK;
}

enum status topology_delete(struct topology *topology, struct bytes name, bool if_unused,
                            struct refusal *refusal)
{
    enum status status = topology_check_delete(topology, name, if_unused, refusal);
    struct exchange *x = topology_exchange(topology, name);
    if (status || !x)
        return status;
    remove_exchange(topology, x);
    remove_doomed(topology);
    return STATUS_OK;
}

/* ---- Bindings */

/* Finds both ends of a binding by name. *source or *destination is NULL when it does not exist. */
static enum status find_ends(const struct topology *t, const struct binding_declaration *d,
                             struct exchange **source, struct endpoint **destination,
                             struct refusal *refusal)
{
    if (d->source.len == 0 || (d->kind == ENDPOINT_EXCHANGE && d->destination.len == 0))
        return refuse_default(refusal);
    *source = topology_exchange(t, d->source);
    *destination = d->kind == ENDPOINT_QUEUE ? map_get(t->queues, d->destination)
                                             : map_get(&t->exchanges, d->destination);
    return STATUS_OK;
}

/* The identity of a binding, in t->scratch until the next call. */
static struct bytes identity_of(struct topology *t, const struct binding_declaration *d,
                                const struct exchange *source, const struct endpoint *destination)
{
    uint64_t ends[2] = {source->endpoint.number, destination->number};
    uint8_t key_len = (uint8_t)d->routing_key.len;
    _Static_assert(sizeof ends + sizeof key_len == BINDING_KEY_AT, "the layout of an identity");
    CHECK(d->routing_key.len <= NAME_BYTES_MAX);
    struct bytes arguments = table_sorted(d->arguments, &t->sorted);
    t->scratch.len = 0;
    text_add(&t->scratch, ends, sizeof ends);
    text_add(&t->scratch, &key_len, sizeof key_len);
    text_add_bytes(&t->scratch, d->routing_key);
    text_add_bytes(&t->scratch, arguments);
    return text_bytes(&t->scratch);
}

static struct binding *binding_new(struct exchange *source, struct endpoint *destination,
                                   struct bytes identity, size_t key_len)
{
    CHECK(identity.len <= UINT32_MAX);
    struct binding *b = mem_need(sizeof *b + identity.len);
    b->source = source;
    b->destination = destination;
    b->arguments_len = (uint32_t)(identity.len - BINDING_KEY_AT - key_len);
    memcpy(b->identity, identity.at, identity.len);
    return b;
}

enum status topology_bind(struct topology *topology, const struct binding_declaration *declaration,
                          struct refusal *refusal)
{
    struct exchange *source = NULL;
    struct endpoint *destination = NULL;
    enum status status = find_ends(topology, declaration, &source, &destination, refusal);
    if (status != STATUS_OK)
        return status;
    if (!source)
        return refuse_missing(refusal, "exchange", declaration->source, topology->vhost);
    if (!destination)
        return refuse_missing(refusal, declaration->kind == ENDPOINT_QUEUE ? "queue" : "exchange",
                              declaration->destination, topology->vhost);
    if (source->type->validate_binding) {
        status = source->type->validate_binding(source->arguments, declaration->routing_key,
                                                declaration->arguments, refusal);
        if (status != STATUS_OK)
            return status;
    }
    struct bytes identity = identity_of(topology, declaration, source, destination);
    if (map_get(&topology->bindings, identity))
        return STATUS_OK;

    struct binding *b = binding_new(source, destination, identity, declaration->routing_key.len);
    if (topology->observer.binding_admitted) {
        struct binding_size size = size_of(b);
        status = topology->observer.binding_admitted(topology->observer.context, &size, refusal);
        if (status != STATUS_OK) {
            free(b);
            return status;
        }
    }
    (void)map_put(&topology->bindings, binding_identity(b), b);
    b->number = roster_add(&topology->binding_list, b);
    TAILQ_INSERT_TAIL(&source->bindings_from, b, from_link);
    source->bindings_from_count++;
    TAILQ_INSERT_TAIL(&destination->bindings_to, b, to_link);
    if (source->type->bind)
        source->type->bind(source, b);
    topology->version++;
    if (topology->observer.binding_added)
        topology->observer.binding_added(topology->observer.context, b);
    return STATUS_OK;
}

enum status topology_unbind(struct topology *topology,
                            const struct binding_declaration *declaration, struct refusal *refusal)
{
    struct exchange *source = NULL;
    struct endpoint *destination = NULL;
    enum status status = find_ends(topology, declaration, &source, &destination, refusal);
    if (status != STATUS_OK || !source || !destination)
        return status;
    struct bytes identity = identity_of(topology, declaration, source, destination);
    struct binding *b = map_get(&topology->bindings, identity);
    if (b) {
        remove_binding(topology, b);
        remove_doomed(topology);
    }
    return STATUS_OK;
}

/* ---- Queues */

void topology_join(struct topology *topology, struct endpoint *endpoint, struct bytes name,
                   bool stored)
{
    endpoint_init(topology, endpoint, ENDPOINT_QUEUE, name, stored);
}

uint64_t topology_shed(struct topology *topology, struct endpoint *endpoint, uint64_t max)
{
    struct binding *b;
    uint64_t count = 0;
    if (endpoint->kind == ENDPOINT_EXCHANGE) {
        struct exchange *x = (struct exchange *)endpoint;
        x->doomed = true; /* keeps remove_doomed from freeing it when it loses its last binding */
        for (; count < max && (b = TAILQ_FIRST(&x->bindings_from)); count++)
            remove_binding(topology, b); /* NOLINT(clang-analyzer-unix.Malloc) */
    }
    for (; count < max && (b = TAILQ_FIRST(&endpoint->bindings_to)); count++)
        remove_binding(topology, b); /* NOLINT(clang-analyzer-unix.Malloc) */
    remove_doomed(topology);
    return count;
}

void topology_leave(struct topology *topology, struct endpoint *endpoint)
{
    struct binding *b;
    while ((b = TAILQ_FIRST(&endpoint->bindings_to)))
        remove_binding(topology, b); /* NOLINT(clang-analyzer-unix.Malloc) */
    topology->version++;
    remove_doomed(topology);
}

/* ---- Listings */

size_t topology_list_exchanges(const struct topology *topology, uint64_t *after,
                               const struct exchange **out, size_t max)
{
    size_t at = roster_begin(&topology->exchange_list, *after), count = 0;
    while (count < max && (out[count] = roster_walk(&topology->exchange_list, &at, after)))
        count++;
    return count;
}

struct exchange *topology_next_exchange(const struct topology *topology, uint64_t *after)
{
    return roster_next(&topology->exchange_list, after);
}

size_t topology_list_bindings(const struct topology *topology, uint64_t *after,
                              const struct binding **out, size_t max)
{
    size_t at = roster_begin(&topology->binding_list, *after), count = 0;
    while (count < max && (out[count] = roster_walk(&topology->binding_list, &at, after)))
        count++;
    return count;
}

size_t topology_exchange_count(const struct topology *topology)
{
    return topology->exchanges.count;
}

size_t topology_binding_count(const struct topology *topology)
{
    return topology->bindings.count;
}

/* ---- The whole */

static const struct {
    const char *name;
    const struct exchange_type *type;
} predeclared[] = {
    {"", &exchange_type_default},          {"amq.direct", &exchange_type_direct},
    {"amq.fanout", &exchange_type_fanout}, {"amq.headers", &exchange_type_headers},
    {"amq.match", &exchange_type_headers}, {"amq.topic", &exchange_type_topic},
};
#define PREDECLARED (sizeof predeclared / sizeof predeclared[0])

static void predeclare(struct topology *t)
{
    for (size_t i = 0; i < PREDECLARED; i++) {
        struct exchange_declaration d = {.name = bytes_of_text(predeclared[i].name),
                                         .durable = true};
        exchange_new(t, predeclared[i].type, &d)->predeclared = true;
    }
}

const char *topology_predeclared_type(struct bytes name)
{
    for (size_t i = 0; i < PREDECLARED; i++)
        if (bytes_equal_text(name, predeclared[i].name))
            return predeclared[i].type->name;
    return NULL;
}

struct topology *topology_new(struct bytes vhost, const struct map *queues,
                              const struct topology_observer *observer)
{
    struct topology *t = mem_need(sizeof *t);
    t->vhost_text = mem_need_text(vhost.at, vhost.len);
    t->vhost = bytes_of(t->vhost_text, vhost.len);
    t->queues = queues;
    if (observer)
        t->observer = *observer;
    predeclare(t);
    return t;
}

void topology_seed(struct topology *topology, uint64_t seed)
{
    topology->random.state = seed;
}

void topology_free(struct topology **topology)
{
    struct topology *t = *topology;
    *topology = NULL;
    if (!t)
        return;
    /* Removes the bindings from the indexes only: the queues may be freed already. */
    uint64_t after = 0;
    struct exchange *x;
    while ((x = roster_next(&t->exchange_list, &after))) {
        struct binding *b;
        while ((b = TAILQ_FIRST(&x->bindings_from))) {
            if (x->type->unbind)
                x->type->unbind(x, b);
            TAILQ_REMOVE(&x->bindings_from, b, from_link);
            free(b);
        }
        exchange_free(&x);
    }
    map_free(&t->exchanges);
    map_free(&t->bindings);
    roster_free(&t->exchange_list);
    roster_free(&t->binding_list);
    free(t->doomed.exchanges);
    free(t->pending.exchanges);
    text_free(&t->scratch);
    text_free(&t->sorted);
    free(t->vhost_text);
    free(t);
}
