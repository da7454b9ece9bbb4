/* A binding: from an exchange to a queue or to another exchange. Made and freed by topology.c.
 * Thread: the vhost's owner. */
#ifndef BROKER_BINDING_H
#define BROKER_BINDING_H

#include "broker/topology/endpoint.h"

struct exchange;

struct binding {
    struct exchange *source;
    struct endpoint *destination;
    TAILQ_ENTRY(binding) from_link; /* in source->bindings_from */
    TAILQ_ENTRY(binding) to_link;   /* in destination->bindings_to */
    uint64_t number;                /* in the topology's roster */

    /* Used by the exchange's type: the binding's place in its index. */
    struct binding *next, *previous; /* bindings that match the same messages */
    void *place;

    /* The binding's identity, in one piece: numbers of source and destination, length of the key,
     * routing key, arguments. */
    uint32_t arguments_len;
    uint8_t identity[];
};

#define BINDING_KEY_AT 17u

static inline struct bytes binding_key(const struct binding *b)
{
    return bytes_of(b->identity + BINDING_KEY_AT, b->identity[BINDING_KEY_AT - 1]);
}

/* A checked table's contents, sorted by key, so that the order in which a client wrote them does
 * not matter. */
static inline struct bytes binding_arguments(const struct binding *b)
{
    struct bytes key = binding_key(b);
    return bytes_of(key.at + key.len, b->arguments_len);
}

static inline struct bytes binding_identity(const struct binding *b)
{
    return bytes_of(b->identity, BINDING_KEY_AT + binding_key(b).len + b->arguments_len);
}

/* Whether the binding comes back after a restart: when both of its ends do. */
bool binding_stored(const struct binding *binding);

/* A chain of bindings that match the same messages, for the types' indexes. A new binding goes
 * behind the first, so that a pointer to the first stays right. */
static inline void binding_chain_add(struct binding **first, struct binding *b)
{
    struct binding *head = *first;
    b->previous = head;
    b->next = head ? head->next : NULL;
    if (b->next)
        b->next->previous = b;
    if (head)
        head->next = b;
    else
        *first = b;
}

static inline void binding_chain_remove(struct binding **first, struct binding *b)
{
    if (b->next)
        b->next->previous = b->previous;
    if (b->previous)
        b->previous->next = b->next;
    else
        *first = b->next;
    b->next = b->previous = NULL;
}

#endif
