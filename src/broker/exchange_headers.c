/* Headers exchanges: bindings by what they ask of a message's headers.
 *
 * A binding's arguments are its pattern: pairs of a key and a value that the header must equal, or
 * of a key and no value (void), and then it must be there. x-match says whether all pairs must fit
 * or any one; keys that begin with "x-" belong to the pattern only with all-with-x and any-with-x.
 *
 * Normal course. Patterns form a tree whose edges are hashes of pairs, in an order that patterns
 * and messages share (by the key's hash). An `all` pattern hangs at the node that its pairs lead
 * to, an `any` pattern at each of the root's children for one of its pairs. A route takes the edges
 * that the message's headers have, so patterns that fail at a pair cost nothing from there on. What
 * hangs at a node that was reached is compared field by field before it counts: hashes only lead
 * there.
 *
 * What can go wrong. Many headers and many patterns: at each node either the node's children are
 * looked for among the headers or the headers among the children, whichever are fewer, so a route
 * never looks at more than there are nodes. A key twice in a message: the first one counts. A key
 * twice with two values in a pattern: no message fits all of it. */
#include "routing.h"

#include "header_list.h"
#include "leveret/base/check.h"
#include "leveret/base/map.h"
#include "leveret/base/mem.h"
#include "leveret/base/text.h"

#define STACK_MIN 32u

struct pattern_link;
LIST_HEAD(link_list, pattern_link);

struct pair_node {
    struct {
        uint64_t parent;
        uint64_t pair; /* hash of key and value, or of the key alone for presence */
    } edge;            /* the key in headers.children */
    uint64_t id, key_hash;
    struct pair_node *parent;
    LIST_ENTRY(pair_node) sibling;
    LIST_HEAD(, pair_node) children;
    size_t child_count;
    struct link_list all, any;
};

/* A place where a pattern hangs. */
struct pattern_link {
    LIST_ENTRY(pattern_link) next;
    struct binding *binding;
    struct pair_node *node;
};

/* What binding->place points to. */
struct pattern {
    bool any, with_x;
    size_t link_count;
    struct pattern_link links[];
};

/* A node still to be looked at, and where in the message's headers its children's keys begin. */
struct visit {
    struct pair_node *node;
    size_t from;
};

struct headers {
    struct pair_node *root;
    struct map children;
    uint64_t last_id;
    struct header_list message, pairs; /* of the route or bind under way */
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

/* Whether a key of the arguments belongs to the pattern. */
static bool in_pattern(struct bytes key, bool with_x)
{
    return with_x ? !bytes_equal_text(key, "x-match") : !bytes_start_with(key, "x-");
}

/* ---- The tree */

static struct pair_node *node_new(struct headers *headers, struct pair_node *parent)
{
    struct pair_node *node = mem_need(sizeof *node);
    node->id = ++headers->last_id;
    node->parent = parent;
    return node;
}

static void headers_open(struct exchange *exchange)
{
    struct headers *headers = mem_need(sizeof *headers);
    headers->root = node_new(headers, NULL);
    exchange->state = headers;
}

static void headers_close(struct exchange *exchange)
{
    struct headers *headers = exchange->state;
    CHECK(headers->children.count == 0);
    free(headers->root);
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

static struct pair_node *child(const struct headers *headers, const struct pair_node *parent,
                               uint64_t pair)
{
    uint64_t edge[2] = {parent->id, pair};
    return map_get(&headers->children, bytes_of(edge, sizeof edge));
}

/* The child for a pair of a pattern, made when it is not there. */
static struct pair_node *descend(struct headers *headers, struct pair_node *parent,
                                 const struct header *pair)
{
    uint64_t hash =
        pair->value.type == FIELD_VOID ? header_presence_hash(pair) : header_value_hash(pair);
    struct pair_node *node = child(headers, parent, hash);
    if (node)
        return node;
    node = node_new(headers, parent);
    node->edge.parent = parent->id;
    node->edge.pair = hash;
    node->key_hash = pair->key_hash;
    LIST_INSERT_HEAD(&parent->children, node, sibling);
    parent->child_count++;
    (void)map_put(&headers->children, edge_of(node), node);
    return node;
}

static void prune(struct headers *headers, struct pair_node *node)
{
    while (node->parent && LIST_EMPTY(&node->all) && LIST_EMPTY(&node->any) && !node->child_count) {
        struct pair_node *parent = node->parent;
        LIST_REMOVE(node, sibling);
        parent->child_count--;
        (void)map_remove(&headers->children, edge_of(node));
        free(node);
        node = parent;
    }
}

/* ---- Binding */

static void hang(struct pattern_link *link, struct binding *binding, struct pair_node *node,
                 struct link_list *list)
{
    link->binding = binding;
    link->node = node;
    LIST_INSERT_HEAD(list, link, next);
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
    struct pattern *pattern = mem_need(sizeof *pattern + count * sizeof pattern->links[0]);
    pattern->any = any;
    pattern->with_x = with_x;
    pattern->link_count = count;
    struct pair_node *node = headers->root;
    for (size_t i = 0; i < pairs->count; i++) {
        if (any) {
            node = descend(headers, headers->root, &pairs->headers[i]);
            hang(&pattern->links[i], binding, node, &node->any);
        } else {
            node = descend(headers, node, &pairs->headers[i]);
        }
    }
    if (!any)
        hang(&pattern->links[0], binding, node, &node->all);
    binding->place = pattern;
}

static void headers_unbind(struct exchange *exchange, struct binding *binding)
{
    struct pattern *pattern = binding->place;
    binding->place = NULL;
    for (size_t i = 0; i < pattern->link_count; i++) {
        LIST_REMOVE(&pattern->links[i], next);
        prune(exchange->state, pattern->links[i].node);
    }
    free(pattern);
}

/* ---- Routing */

/* Whether the message has what the pattern asks: the exact comparison. */
static bool fits(const struct binding *binding, const struct header_list *message)
{
    const struct pattern *pattern = binding->place;
    struct reader r = reader_of(binding_arguments(binding));
    struct bytes key;
    struct field wanted;
    while (table_next(&r, &key, &wanted)) {
        if (!in_pattern(key, pattern->with_x))
            continue;
        const struct header *header = header_list_find(message, key);
        bool fit =
            header && (wanted.type == FIELD_VOID || header_values_equal(&wanted, &header->value));
        if (fit == pattern->any)
            return fit;
    }
    return !pattern->any;
}

static void reach(struct routing *routing, const struct headers *headers,
                  const struct link_list *links)
{
    const struct pattern_link *link;
    LIST_FOREACH(link, links, next)
    {
        routing->result->work++;
        if (fits(link->binding, &headers->message))
            routing_reach(routing, link->binding->destination);
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

/* The children that the message's headers from place `from` on lead to: asked from the side that
 * has fewer to ask. */
static void push_children(struct headers *headers, struct pair_node *node, size_t from,
                          uint64_t *work)
{
    const struct header_list *message = &headers->message;
    if (node->child_count <= 2 * (message->count - from)) {
        struct pair_node *c;
        LIST_FOREACH(c, &node->children, sibling)
        {
            (*work)++;
            /* Several headers only when their keys' hashes collide. */
            for (size_t i = header_list_place(message, c->key_hash, from);
                 i < message->count && message->headers[i].key_hash == c->key_hash; i++) {
                const struct header *h = &message->headers[i];
                if (c->edge.pair == h->value_hash || c->edge.pair == h->presence_hash)
                    push(headers, c, i + 1);
            }
        }
        return;
    }
    for (size_t i = from; i < message->count; i++) {
        const uint64_t pairs[] = {message->headers[i].value_hash,
                                  message->headers[i].presence_hash};
        for (size_t j = 0; j < 2; j++) {
            struct pair_node *c = child(headers, node, pairs[j]);
            (*work)++;
            if (c)
                push(headers, c, i + 1);
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
        r = reader_of(message_headers(routing->input->message));
        while (table_next(&r, &header.key, &header.value))
            header_list_add(&headers->message, &header);
    }
    header_list_sort(&headers->message);
    header_list_hash(&headers->message);

    push(headers, headers->root, 0);
    while (headers->stack_count) {
        struct visit visit = headers->stack[--headers->stack_count];
        routing->result->work++;
        reach(routing, headers, &visit.node->all);
        reach(routing, headers, &visit.node->any);
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
    .bind = headers_bind,
    .unbind = headers_unbind,
    .route = headers_route,
};
