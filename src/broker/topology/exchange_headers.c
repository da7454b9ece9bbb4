/* Headers exchanges: a binding matches by the headers of a message.
 *
 * A binding's arguments are its pattern: pairs of a key and a value that the header must equal, or
 * of a key and no value (void) when the header need only be there. x-match says whether all pairs
 * must match or any one; keys that begin with "x-" belong to the pattern only with all-with-x and
 * any-with-x.
 *
 * Normal course. Patterns form a tree whose edges are pairs, in an order that patterns and messages
 * share (by the key's hash). An `all` pattern ends at the node that its pairs lead to, an `any`
 * pattern at each of the root's children for one of its pairs. A route follows the edges whose
 * pairs are among the message's headers: an edge is found by hash and compared once. So patterns
 * that share pairs share the comparison, a pattern costs nothing more after its first pair that
 * does not match, and every pattern that ends at a node that was reached matches. A destination
 * stands at a node once, however many bindings with different routing keys lead to it.
 *
 * What can go wrong. Many headers and many patterns: at each node the route looks for the node's
 * children among the headers, or for the headers among the children, whichever are fewer, so it
 * never looks at more pairs than there are nodes. A key twice in a message: the first one counts. A
 * key twice with two values in a pattern: no message matches all of it. Two pairs with the same
 * hash: each has a node of its own, in a chain. The pairs that a route looks at are counted as
 * work, which slows down its sender and nobody else. */
#include "broker/topology/routing.h"

#include "broker/topology/header_list.h"
#include "broker/topology/topology.h"
#include "leveret/base/check.h"
#include "leveret/base/map.h"
#include "leveret/base/mem.h"
#include "leveret/base/text.h"
#include "leveret/wire/properties.h"

#define STACK_MIN 32u
/* Bytes that a pair takes in maps, by estimate. */
#define PAIR_PLACES 100u

struct pair_node;

/* A destination of the patterns that end at a node. */
struct pattern_end {
    struct {
        uint64_t node;
        struct endpoint *destination;
    } key; /* in headers.ends */
    LIST_ENTRY(pattern_end) next;
    struct pair_node *node;
    uint64_t patterns; /* number of patterns that end at this node and lead to this destination */
};

struct pair_node {
    struct {
        uint64_t parent;
        uint64_t pair; /* hash of key and value, or of the key alone when it need only be there */
    } edge;            /* the key in headers.children */
    uint64_t id, key_hash;
    struct bytes key;
    struct field
        value; /* void: the header need only be there; bytes of key and value lie in data */
    struct pair_node *parent;
    struct pair_node *twin; /* the next node whose pair has the same hash */
    LIST_ENTRY(pair_node) sibling;
    LIST_HEAD(, pair_node) children;
    size_t child_count;
    LIST_HEAD(, pattern_end) ends;
    uint8_t data[];
};

/* The ends of a binding's pattern; binding->place points to it. */
struct header_pattern {
    size_t end_count;
    struct pattern_end *ends[];
};

/* A node still to be looked at, and where in the message's headers its children's keys begin. */
struct visit {
    struct pair_node *node;
    size_t from;
};

struct headers {
    struct pair_node *root;
    struct map children, ends;
    uint64_t last_id;
    struct header_list message, pairs; /* used by the route or bind that is being done */
    struct visit *stack;
    size_t stack_count, stack_room;
};

/* ---- x-match */

static enum status headers_validate_binding(struct bytes exchange_arguments,
                                            struct bytes routing_key, struct bytes arguments,
                                            struct refusal *refusal)
{
    (void)exchange_arguments;
    (void)routing_key;
    struct field match;
    if (!table_find(arguments, "x-match", &match))
        return STATUS_OK;
    if (match.type != FIELD_STRING) {
        struct text printed = {0};
        field_print(&printed, &match);
        enum status status = refuse(refusal, STATUS_PRECONDITION_FAILED,
                                    "Invalid x-match field type %s (value %.*s); expected longstr",
                                    field_type_name(match.type), BYTES_PRINT(text_bytes(&printed)));
        text_free(&printed);
        return status;
    }
    static const char *const known[] = {"all", "any", "all-with-x", "any-with-x"};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (bytes_equal_text(match.value.bytes, known[i]))
            return STATUS_OK;
    }
    return refuse(refusal, STATUS_PRECONDITION_FAILED,
                  "Invalid x-match field value <<\"%.*s\">>; expected all, any, all-with-x, or "
                  "any-with-x",
                  BYTES_PRINT(match.value.bytes));
}

static void read_match(struct bytes arguments, bool *any, bool *with_x)
{
    struct field match;
    *any = *with_x = false;
    if (!table_find(arguments, "x-match", &match) || match.type != FIELD_STRING)
        return;
    *any = bytes_start_with(match.value.bytes, "any");
    *with_x = match.value.bytes.len > 3;
}

/* Whether a key of a binding's arguments belongs to its pattern. */
static bool in_pattern(struct bytes key, bool with_x)
{
    return with_x ? !bytes_equal_text(key, "x-match") : !bytes_start_with(key, "x-");
}

/* ---- The tree */

static bool is_view(const struct field *value)
{
    return value->type == FIELD_STRING || value->type == FIELD_BYTES ||
           value->type == FIELD_TABLE || value->type == FIELD_ARRAY;
}

/* pair: NULL for the root. */
static struct pair_node *node_new(struct headers *headers, struct pair_node *parent,
                                  const struct header *pair)
{
    size_t key_len = pair ? pair->key.len : 0;
    size_t value_len = pair && is_view(&pair->value) ? pair->value.value.bytes.len : 0;
    struct pair_node *node = mem_need(sizeof *node + key_len + value_len);
    node->id = ++headers->last_id;
    node->parent = parent;
    if (!pair)
        return node;
    if (key_len)
        memcpy(node->data, pair->key.at, key_len);
    node->key_hash = pair->key_hash;
    node->key = bytes_of(node->data, key_len);
    node->value = pair->value;
    if (!is_view(&pair->value))
        return node;
    if (value_len)
        memcpy(node->data + key_len, pair->value.value.bytes.at, value_len);
    node->value.value.bytes = bytes_of(node->data + key_len, value_len);
    return node;
}

static void headers_open(struct exchange *exchange)
{
    struct headers *headers = mem_need(sizeof *headers);
    headers->root = node_new(headers, NULL, NULL);
    exchange->state = headers;
}

static void headers_close(struct exchange *exchange)
{
    struct headers *headers = exchange->state;
    CHECK(headers->children.count == 0 && headers->ends.count == 0);
    free(headers->root);
    map_free(&headers->children);
    map_free(&headers->ends);
    header_list_free(&headers->message);
    header_list_free(&headers->pairs);
    free(headers->stack);
    free(headers);
    exchange->state = NULL;
}

static struct bytes edge_of(const struct pair_node *node)
{
    return bytes_of(&node->edge, sizeof node->edge);
}

/* The first child whose pair has this hash; its twins follow. */
static struct pair_node *child(const struct headers *headers, const struct pair_node *parent,
                               uint64_t pair)
{
    uint64_t edge[2] = {parent->id, pair};
    return map_get(&headers->children, bytes_of(edge, sizeof edge));
}

/* The child for a pair of a pattern, made when there is none. Values of different types have nodes
 * of their own, even when they are equal. */
static struct pair_node *descend(struct headers *headers, struct pair_node *parent,
                                 const struct header *pair)
{
    bool presence = pair->value.type == FIELD_VOID;
    uint64_t hash = presence ? header_list_presence_hash(pair) : header_list_value_hash(pair);
    struct pair_node *first = child(headers, parent, hash), *node = first;
    while (node && !(bytes_equal(node->key, pair->key) && node->value.type == pair->value.type &&
                     (presence || header_list_values_equal(&node->value, &pair->value))))
        node = node->twin;
    if (node)
        return node;
    node = node_new(headers, parent, pair);
    node->edge.parent = parent->id;
    node->edge.pair = hash;
    node->twin = first;
    LIST_INSERT_HEAD(&parent->children, node, sibling);
    parent->child_count++;
    (void)map_put(&headers->children, edge_of(node), node);
    return node;
}

static void unhook(struct headers *headers, struct pair_node *node)
{
    struct pair_node *first = child(headers, node->parent, node->edge.pair);
    if (first == node && node->twin) {
        (void)map_put(&headers->children, edge_of(node->twin), node->twin);
    } else if (first == node) {
        (void)map_remove(&headers->children, edge_of(node));
    } else {
        while (first->twin != node)
            first = first->twin;
        first->twin = node->twin;
    }
}

static void prune(struct headers *headers, struct pair_node *node)
{
    while (node->parent && LIST_EMPTY(&node->ends) && !node->child_count) {
        struct pair_node *parent = node->parent;
        LIST_REMOVE(node, sibling);
        parent->child_count--;
        unhook(headers, node);
        free(node);
        node = parent;
    }
}

/* ---- Binding */

static struct bytes key_of(const struct pattern_end *end)
{
    return bytes_of(&end->key, sizeof end->key);
}

/* Notes that a pattern ends at a node and leads to a destination. */
static struct pattern_end *end_at(struct headers *headers, struct pair_node *node,
                                  struct endpoint *destination)
{
    struct pattern_end wanted = {.key = {node->id, destination}};
    struct pattern_end *end = map_get(&headers->ends, key_of(&wanted));
    if (!end) {
        end = mem_need(sizeof *end);
        end->key = wanted.key;
        end->node = node;
        LIST_INSERT_HEAD(&node->ends, end, next);
        (void)map_put(&headers->ends, key_of(end), end);
    }
    end->patterns++;
    return end;
}

static void headers_bind(struct exchange *exchange, struct binding *binding)
{
    struct headers *headers = exchange->state;
    struct header_list *pairs = &headers->pairs;
    bool any, with_x;
    read_match(binding_arguments(binding), &any, &with_x);

    struct reader r = reader_of(binding_arguments(binding));
    struct header pair;
    header_list_clear(pairs);
    while (table_next(&r, &pair.key, &pair.value)) {
        if (in_pattern(pair.key, with_x))
            header_list_add(pairs, &pair);
    }
    header_list_sort(pairs);
    if (!any)
        header_list_settle_pattern(pairs);

    size_t count = any ? pairs->count : 1;
    struct header_pattern *pattern = mem_need(sizeof *pattern + count * sizeof pattern->ends[0]);
    pattern->end_count = count;
    struct pair_node *node = headers->root;
    for (size_t i = 0; i < pairs->count; i++) {
        node = descend(headers, any ? headers->root : node, &pairs->headers[i]);
        if (any)
            pattern->ends[i] = end_at(headers, node, binding->destination);
    }
    if (!any)
        pattern->ends[0] = end_at(headers, node, binding->destination);
    binding->place = pattern;
}

/* The bytes that the binding takes when its pattern shares no pair with another. */
static void headers_size(const struct binding *binding, struct binding_size *out)
{
    struct reader r = reader_of(binding_arguments(binding));
    struct header pair;
    while (table_next(&r, &pair.key, &pair.value))
        out->bytes += sizeof(struct pair_node) + sizeof(struct pattern_end) + PAIR_PLACES;
    out->bytes += binding_arguments(binding).len;
}

static void headers_unbind(struct exchange *exchange, struct binding *binding)
{
    struct headers *headers = exchange->state;
    struct header_pattern *pattern = binding->place;
    binding->place = NULL;
    for (size_t i = 0; i < pattern->end_count; i++) {
        struct pattern_end *end = pattern->ends[i];
        struct pair_node *node = end->node;
        if (--end->patterns)
            continue;
        LIST_REMOVE(end, next);
        (void)map_remove(&headers->ends, key_of(end));
        free(end);
        prune(headers, node);
    }
    free(pattern);
}

/* ---- Routing */

static void reach(struct routing *routing, const struct pair_node *node)
{
    const struct pattern_end *end;
    LIST_FOREACH(end, &node->ends, next)
    {
        routing->result->work++;
        routing_reach(routing, end->key.destination);
    }
}

static void push(struct headers *headers, struct pair_node *node, size_t from)
{
    if (headers->stack_count == headers->stack_room) {
        headers->stack_room = headers->stack_room ? headers->stack_room * 2 : STACK_MIN;
        headers->stack =
            mem_need_array(headers->stack, headers->stack_room, sizeof *headers->stack);
    }
    headers->stack[headers->stack_count++] = (struct visit){node, from};
}

/* Whether a header of the message equals the node's pair, compared byte by byte. */
static bool fits(const struct pair_node *node, const struct header *header)
{
    return bytes_equal(node->key, header->key) &&
           (node->value.type == FIELD_VOID ||
            header_list_values_equal(&node->value, &header->value));
}

/* Pushes the children whose pairs are among the message's headers from index `from` on: looks
 * through the children or through the headers, whichever are fewer. */
static void push_children(struct headers *headers, struct pair_node *node, size_t from,
                          uint64_t *work)
{
    const struct header_list *message = &headers->message;
    if (node->child_count <= 2 * (message->count - from)) {
        struct pair_node *c;
        LIST_FOREACH(c, &node->children, sibling)
        {
            (*work)++;
            /* The loop finds more than one header only when hashes of keys collide. */
            for (size_t i = header_list_place(message, c->key_hash, from);
                 i < message->count && message->headers[i].key_hash == c->key_hash; i++) {
                const struct header *h = &message->headers[i];
                if ((c->edge.pair == h->value_hash || c->edge.pair == h->presence_hash) &&
                    fits(c, h))
                    push(headers, c, i + 1);
            }
        }
        return;
    }
    for (size_t i = from; i < message->count; i++) {
        const uint64_t pairs[] = {message->headers[i].value_hash,
                                  message->headers[i].presence_hash};
        for (size_t j = 0; j < 2; j++) {
            (*work)++;
            for (struct pair_node *c = child(headers, node, pairs[j]); c; c = c->twin) {
                (*work)++;
                if (fits(c, &message->headers[i]))
                    push(headers, c, i + 1);
            }
        }
    }
}

static void headers_route(struct exchange *exchange, struct routing *routing)
{
    struct headers *headers = exchange->state;
    struct reader r = {0};
    if (!exchange->bindings_from_count)
        return;
    header_list_clear(&headers->message);
    if (routing->input->message) {
        struct header header;
        r = reader_of(properties_headers(message_properties(routing->input->message)));
        while (table_next(&r, &header.key, &header.value))
            header_list_add(&headers->message, &header);
    }
    header_list_sort(&headers->message);
    header_list_hash(&headers->message);

    push(headers, headers->root, 0);
    while (headers->stack_count) {
        struct visit visit = headers->stack[--headers->stack_count];
        routing->result->work++;
        reach(routing, visit.node);
        if (visit.node->child_count && visit.from < headers->message.count)
            push_children(headers, visit.node, visit.from, &routing->result->work);
    }
}

const struct exchange_type exchange_type_headers = {
    .name = "headers",
    .by_key = false,
    .validate_binding = headers_validate_binding,
    .open = headers_open,
    .close = headers_close,
    .size = headers_size,
    .bind = headers_bind,
    .unbind = headers_unbind,
    .route = headers_route,
};
