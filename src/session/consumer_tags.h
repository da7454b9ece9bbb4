/* The consumers of a channel as the client and the core know them: the client by tags, the core by
 * numbers.
 *
 * Thread: the worker of the session. */
#ifndef LEVERET_SESSION_CONSUMER_TAGS_H
#define LEVERET_SESSION_CONSUMER_TAGS_H

#include "leveret/base/check.h"
#include "leveret/base/map.h"
#include "leveret/base/random.h"
#include "leveret/base/status.h"

/* Consumers of one channel. One more is refused with 530 NOT_ALLOWED, as with RabbitMQ's
 * consumer_max_per_channel. */
#define CONSUMERS_PER_CHANNEL_MAX 65535u

struct consumer_slot {
    char *tag; /* NULL: the slot is free */
    size_t tag_len;
    bool cancelling;    /* basic.cancel has come; the slot is freed when the core has answered */
    bool quiet;         /* it came with no-wait: no cancel-ok is sent */
    uint32_t next_free; /* of a free slot: the number of the next one; room after the last one */
};

/* Without consumers it is all zeros. */
struct consumer_tags {
    struct consumer_slot *slots; /* by number */
    uint32_t room;
    uint32_t free;     /* the number of the first free slot; room: there is none */
    struct map by_tag; /* to the number plus one */
};

/* The slot of a number that is in use. */
static inline struct consumer_slot *consumer_tags_slot(const struct consumer_tags *tags,
                                                       uint32_t consumer)
{
    CHECK(consumer < tags->room);
    return &tags->slots[consumer];
}

/* The tag of a number that is in use, valid until it is removed. */
static inline struct bytes consumer_tags_get(const struct consumer_tags *tags, uint32_t consumer)
{
    const struct consumer_slot *slot = consumer_tags_slot(tags, consumer);
    return bytes_of(slot->tag, slot->tag_len);
}

/* Finds the number of a tag. Returns false when no consumer has it. */
bool consumer_tags_find(const struct consumer_tags *tags, struct bytes tag, uint32_t *out);
/* Takes a number for a tag that no consumer has. For an empty tag it makes one up with random.
 * Errors: LIMIT. */
MUST_USE enum status consumer_tags_add(struct consumer_tags *tags, struct random_stream *random,
                                       struct bytes tag, uint32_t *out);
/* Frees the number and its tag. */
void consumer_tags_remove(struct consumer_tags *tags, uint32_t consumer);
void consumer_tags_free(struct consumer_tags *tags);

#endif
