/* Topic exchanges: the binding keys as a tree of words, walked by the words of the routing key.
 *
 * Normal course. A node stands for the first words of binding keys. Its children by literal word
 * are found in one hash map of the whole exchange, by the parent's id and the word; the children
 * for `*` (one word) and `#` (any number of words, none included) are pointers. A route keeps the
 * set of nodes that match the words read so far, and goes on word by word: its cost depends on the
 * size of that set, not on the number of bindings.
 *
 * What can go wrong. Keys like "#.#.#.a" would make backtracking take exponential time. Here a node
 * is in the set once for each word, so the worst case is nodes times words. An empty word is a word
 * ("a..b" has three); an empty key has no words. */
#include "broker/topology/routing.h"

#include "leveret/base/check.h"
#include "leveret/base/map.h"
#include "leveret/base/mem.h"
#include "leveret/wire/cursor.h"

/* Nodes that a set makes room for at first. */
#define SET_MIN 16u

struct topic_node {
    uint64_t id;
    struct topic_node *parent, *star, *hash;
    struct binding *bindings; /* the first of a chain */
    uint64_t stamp;           /* the last step that put it into a set */
    uint32_t children;        /* number of children by literal word */
    bool is_hash;             /* a `#`: the node stays in the set for every word */
    uint16_t edge_len;        /* 0: the edge to it is no literal word */
    uint8_t edge[];           /* the parent's id and the word: the key in topic.children */
};

struct node_set {
    struct topic_node **nodes;
    size_t count, room;
};

struct topic {
    struct topic_node *root;
    struct map children;
    uint64_t last_id, last_stamp;
    struct node_set now, next; /* the sets of the route that is being done */
};

#define EDGE_WORD_AT sizeof(uint64_t)
#define EDGE_MAX     (EDGE_WORD_AT + NAME_BYTES_MAX)

static size_t edge_of(uint8_t edge[EDGE_MAX], const struct topic_node *parent, struct bytes word)
{
    memcpy(edge, &parent->id, EDGE_WORD_AT);
    if (word.len)
        memcpy(edge + EDGE_WORD_AT, word.at, word.len);
    return EDGE_WORD_AT + word.len;
}

/* Reads the next word of a key; false when there is none. *at is the offset of the rest, 0 at
 * first. */
static bool next_word(struct bytes key, size_t *at, struct bytes *word)
{
    if (*at > key.len || key.len == 0)
        return false;
    size_t left = key.len - *at;
    const uint8_t *from = key.at + *at;
    const uint8_t *dot = left ? memchr(from, '.', left) : NULL;
    *word = bytes_of(from, dot ? (size_t)(dot - from) : left);
    *at += word->len + 1; /* after the last word this is beyond the end */
    return true;
}

static struct topic_node *node_new(struct topic *topic, struct topic_node *parent, size_t edge_len)
{
    struct topic_node *node = mem_need(sizeof *node + edge_len);
    node->id = ++topic->last_id;
    node->parent = parent;
    node->edge_len = (uint16_t)edge_len;
    return node;
}

static void topic_open(struct exchange *exchange)
{
    struct topic *topic = mem_need(sizeof *topic);
    topic->root = node_new(topic, NULL, 0);
    exchange->state = topic;
}

static void topic_close(struct exchange *exchange)
{
    struct topic *topic = exchange->state;
    CHECK(topic->children.count == 0 && !topic->root->star && !topic->root->hash);
    free(topic->root);
    free(topic->now.nodes);
    free(topic->next.nodes);
    free(topic);
    exchange->state = NULL;
}

/* The child of parent for a word of a binding key, made when there is none. */
static struct topic_node *descend(struct topic *topic, struct topic_node *parent, struct bytes word)
{
    struct topic_node **wild = bytes_equal_text(word, "*")   ? &parent->star
                               : bytes_equal_text(word, "#") ? &parent->hash
                                                             : NULL;
    if (wild) {
        if (!*wild) {
            *wild = node_new(topic, parent, 0);
            (*wild)->is_hash = wild == &parent->hash;
        }
        return *wild;
    }
    uint8_t edge[EDGE_MAX];
    size_t edge_len = edge_of(edge, parent, word);
    struct topic_node *node = map_get(&topic->children, bytes_of(edge, edge_len));
    if (node)
        return node;
    node = node_new(topic, parent, edge_len);
    memcpy(node->edge, edge, edge_len);
    (void)map_put(&topic->children, bytes_of(node->edge, edge_len), node);
    parent->children++;
    return node;
}

static void topic_bind(struct exchange *exchange, struct binding *binding)
{
    struct topic *topic = exchange->state;
    struct topic_node *node = topic->root;
    struct bytes word;
    for (size_t at = 0; next_word(binding_key(binding), &at, &word);)
        node = descend(topic, node, word);
    binding_chain_add(&node->bindings, binding);
    binding->place = node;
}

/* Frees the node and then its parents, as long as they have neither bindings nor children. */
static void prune(struct topic *topic, struct topic_node *node)
{
    while (node->parent && !node->bindings && !node->children && !node->star && !node->hash) {
        struct topic_node *parent = node->parent;
        if (parent->star == node) {
            parent->star = NULL;
        } else if (parent->hash == node) {
            parent->hash = NULL;
        } else {
            (void)map_remove(&topic->children, bytes_of(node->edge, node->edge_len));
            parent->children--;
        }
        free(node);
        node = parent;
    }
}

static void topic_unbind(struct exchange *exchange, struct binding *binding)
{
    struct topic_node *node = binding->place;
    binding_chain_remove(&node->bindings, binding);
    binding->place = NULL;
    prune(exchange->state, node);
}

/* Adds a node to a set, unless this step has added it, and with it the nodes that match without a
 * further word: its `#` child, that child's `#` child and so on. */
static void add(struct node_set *set, struct topic_node *node, uint64_t stamp)
{
    for (; node && node->stamp != stamp; node = node->hash) {
        node->stamp = stamp;
        if (set->count == set->room) {
            set->room = set->room ? set->room * 2 : SET_MIN;
            set->nodes = mem_need_array(set->nodes, set->room, sizeof(struct topic_node *));
        }
        set->nodes[set->count++] = node;
    }
}

/* Reads one word: fills topic->next with the nodes that it leads to from those in topic->now. */
static void step(struct topic *topic, struct bytes word)
{
    uint8_t edge[EDGE_MAX];
    uint64_t stamp = ++topic->last_stamp;
    topic->next.count = 0;
    for (size_t i = 0; i < topic->now.count; i++) {
        struct topic_node *node = topic->now.nodes[i];
        if (node->is_hash)
            add(&topic->next, node, stamp);
        add(&topic->next, node->star, stamp);
        if (node->children) {
            size_t edge_len = edge_of(edge, node, word);
            add(&topic->next, map_get(&topic->children, bytes_of(edge, edge_len)), stamp);
        }
    }
}

static void route_key(struct topic *topic, struct bytes key, struct routing *routing)
{
    struct bytes word;
    topic->now.count = 0;
    add(&topic->now, topic->root, ++topic->last_stamp);
    for (size_t at = 0; topic->now.count && next_word(key, &at, &word);) {
        routing->result->work += topic->now.count;
        step(topic, word);
        struct node_set done = topic->now;
        topic->now = topic->next;
        topic->next = done;
    }
    routing->result->work += topic->now.count;
    for (size_t i = 0; i < topic->now.count; i++) {
        for (const struct binding *b = topic->now.nodes[i]->bindings; b; b = b->next) {
            routing->result->work++;
            routing_reach(routing, b->destination);
        }
    }
}

static void topic_route(struct exchange *exchange, struct routing *routing)
{
    for (size_t i = 0; i < routing->input->key_count; i++)
        route_key(exchange->state, routing->input->keys[i], routing);
}

const struct exchange_type exchange_type_topic = {
    .name = "topic",
    .by_key = true,
    .open = topic_open,
    .close = topic_close,
    .bind = topic_bind,
    .unbind = topic_unbind,
    .route = topic_route,
};
