/* A channel's consumers: numbers for the core, tags for the client. A number is free again when its
 * consumer has been cancelled on both sides. A tag is found by its hash and a free number at the
 * head of a list, so that the last of many consumers costs what the first one does. */
#include <stdlib.h>

#include "internal.h"
#include "leveret/base/check.h"
#include "leveret/base/mem.h"

static const char made_up_prefix[] = "amq.ctag-";

/* What the map holds for a slot: its number, one up, since the map holds no NULL. */
static void *slot_value(uint32_t consumer)
{
    return (void *)((uintptr_t)consumer + 1);
}

bool consumer_tags_find(const struct session_channel *channel, struct bytes tag, uint32_t *out)
{
    const void *value = map_get(&channel->consumers_by_tag, tag);
    if (!value)
        return false;
    *out = (uint32_t)((uintptr_t)value - 1);
    return true;
}

/* Doubles the slots; the new ones are free. */
static void grow(struct session_channel *channel)
{
    uint32_t old = channel->consumer_room, room = old ? old * 2 : 1;
    channel->consumers = mem_need_array(channel->consumers, room, sizeof *channel->consumers);
    for (uint32_t i = old; i < room; i++)
        channel->consumers[i] = (struct consumer_slot){.next_free = i + 1};
    channel->consumer_free = old;
    channel->consumer_room = room;
}

enum status consumer_tags_add(struct session_channel *channel, struct bytes tag, uint32_t *out)
{
    char made_up[sizeof made_up_prefix + RANDOM_NAME_LEN];
    if (tag.len == 0) {
        memcpy(made_up, made_up_prefix, sizeof made_up_prefix - 1);
        random_name(&channel->session->sessions->random, made_up + sizeof made_up_prefix - 1);
        tag = bytes_of_text(made_up);
    }
    if (channel->consumers_by_tag.count >= CONSUMERS_PER_CHANNEL_MAX)
        return STATUS_LIMIT;
    if (channel->consumer_free == channel->consumer_room)
        grow(channel);
    *out = channel->consumer_free;
    struct consumer_slot *slot = &channel->consumers[*out];
    channel->consumer_free = slot->next_free;
    *slot = (struct consumer_slot){.tag = mem_need_text(tag.at, tag.len), .tag_len = tag.len};
    map_put(&channel->consumers_by_tag, bytes_of(slot->tag, slot->tag_len), slot_value(*out));
    return STATUS_OK;
}

void consumer_tags_remove(struct session_channel *channel, uint32_t consumer)
{
    map_remove(&channel->consumers_by_tag, consumer_tags_get(channel, consumer));
    free(channel->consumers[consumer].tag);
    channel->consumers[consumer] = (struct consumer_slot){.next_free = channel->consumer_free};
    channel->consumer_free = consumer;
}

struct bytes consumer_tags_get(const struct session_channel *channel, uint32_t consumer)
{
    CHECK(consumer < channel->consumer_room);
    return bytes_of(channel->consumers[consumer].tag, channel->consumers[consumer].tag_len);
}

void consumer_tags_free(struct session_channel *channel)
{
    for (uint32_t i = 0; i < channel->consumer_room; i++)
        free(channel->consumers[i].tag);
    free(channel->consumers);
    map_free(&channel->consumers_by_tag);
    channel->consumers = NULL;
    channel->consumer_room = channel->consumer_free = 0;
}
