/* A channel's consumers: numbers for the core, tags for the client. A number is free again when its
 * consumer has been cancelled on both sides. */
#include <stdlib.h>

#include "internal.h"
#include "leveret/base/check.h"
#include "leveret/base/mem.h"

static const char made_up_prefix[] = "amq.ctag-";

bool consumer_find(const struct channel *channel, struct bytes tag, uint32_t *out)
{
    for (uint32_t i = 0; i < channel->consumer_room; i++) {
        const struct consumer_slot *slot = &channel->consumers[i];
        if (slot->tag && bytes_equal(bytes_of(slot->tag, slot->tag_len), tag)) {
            *out = i;
            return true;
        }
    }
    return false;
}

static bool free_slot(struct channel *channel, uint32_t *out)
{
    for (uint32_t i = 0; i < channel->consumer_room; i++) {
        if (!channel->consumers[i].tag) {
            *out = i;
            return true;
        }
    }
    if (channel->consumer_room >= CONSUMERS_PER_CHANNEL_MAX)
        return false;
    uint32_t room = channel->consumer_room ? channel->consumer_room * 2 : 1;
    channel->consumers = mem_need_array(channel->consumers, room, sizeof *channel->consumers);
    for (uint32_t i = channel->consumer_room; i < room; i++)
        channel->consumers[i] = (struct consumer_slot){0};
    *out = channel->consumer_room;
    channel->consumer_room = room;
    return true;
}

enum status consumer_add(struct channel *channel, struct bytes tag, uint32_t *out)
{
    char made_up[sizeof made_up_prefix + RANDOM_NAME_LEN];
    if (tag.len == 0) {
        memcpy(made_up, made_up_prefix, sizeof made_up_prefix - 1);
        random_name(&channel->session->sessions->random, made_up + sizeof made_up_prefix - 1);
        tag = bytes_of_text(made_up);
    }
    if (!free_slot(channel, out))
        return STATUS_LIMIT;
    channel->consumers[*out] =
        (struct consumer_slot){.tag = mem_need_text(tag.at, tag.len), .tag_len = tag.len};
    return STATUS_OK;
}

void consumer_remove(struct channel *channel, uint32_t consumer)
{
    CHECK(consumer < channel->consumer_room);
    free(channel->consumers[consumer].tag);
    channel->consumers[consumer] = (struct consumer_slot){0};
}

struct bytes consumer_tag(const struct channel *channel, uint32_t consumer)
{
    CHECK(consumer < channel->consumer_room);
    return bytes_of(channel->consumers[consumer].tag, channel->consumers[consumer].tag_len);
}

void consumers_free(struct channel *channel)
{
    for (uint32_t i = 0; i < channel->consumer_room; i++)
        free(channel->consumers[i].tag);
    free(channel->consumers);
    channel->consumers = NULL;
    channel->consumer_room = 0;
}
