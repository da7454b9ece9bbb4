/* The consumers of a channel: numbers for the core, tags for the client. A number is free again
 * when both sides know that its consumer is cancelled. Tags are found in a map, and a free number
 * at the head of a list, so that the last of many consumers costs as much as the first. */
#include "consumer_tags.h"

#include <stdlib.h>

#include "leveret/base/mem.h"

static const char made_up_prefix[] = "amq.ctag-";

/* The map's value for a slot: its number plus one, since NULL means that there is no value. */
static void *slot_value(uint32_t consumer)
{
    return (void *)((uintptr_t)consumer + 1);
}

bool consumer_tags_find(const struct consumer_tags *tags, struct bytes tag, uint32_t *out)
{
    const void *value = map_get(&tags->by_tag, tag);
    if (!value)
        return false;
    *out = (uint32_t)((uintptr_t)value - 1);
    return true;
}

/* Doubles the slots; the new ones are free. */
static void grow(struct consumer_tags *tags)
{
    uint32_t old = tags->room, room = old ? old * 2 : 1;
    tags->slots = mem_need_array(tags->slots, room, sizeof *tags->slots);
    for (uint32_t i = old; i < room; i++)
        tags->slots[i] = (struct consumer_slot){.next_free = i + 1};
    tags->free = old;
    tags->room = room;
}

enum status consumer_tags_add(struct consumer_tags *tags, struct random_stream *random,
                              struct bytes tag, uint32_t *out)
{
    char made_up[sizeof made_up_prefix + RANDOM_NAME_LEN];
    if (tag.len == 0) {
        memcpy(made_up, made_up_prefix, sizeof made_up_prefix - 1);
        random_name(random, made_up + sizeof made_up_prefix - 1);
        tag = bytes_of_text(made_up);
    }
    if (tags->by_tag.count >= CONSUMERS_PER_CHANNEL_MAX)
        return STATUS_LIMIT;
    if (tags->free == tags->room)
        grow(tags);
    *out = tags->free;
    struct consumer_slot *slot = &tags->slots[*out];
    tags->free = slot->next_free;
    *slot = (struct consumer_slot){.tag = mem_need_text(tag.at, tag.len), .tag_len = tag.len};
    map_put(&tags->by_tag, bytes_of(slot->tag, slot->tag_len), slot_value(*out));
    return STATUS_OK;
}

void consumer_tags_remove(struct consumer_tags *tags, uint32_t consumer)
{
    struct consumer_slot *slot = consumer_tags_slot(tags, consumer);
    map_remove(&tags->by_tag, bytes_of(slot->tag, slot->tag_len));
    free(slot->tag);
    *slot = (struct consumer_slot){.next_free = tags->free};
    tags->free = consumer;
}

void consumer_tags_free(struct consumer_tags *tags)
{
    for (uint32_t i = 0; i < tags->room; i++)
        free(tags->slots[i].tag);
    free(tags->slots);
    map_free(&tags->by_tag);
    *tags = (struct consumer_tags){0};
}
