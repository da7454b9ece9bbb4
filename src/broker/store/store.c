/* What a vhost has on record and in memory: see store.h. */
#include "broker/vhost_state.h"
#include "leveret/wire/cursor.h"

void vhost_put(struct vhost *vhost, const struct text *key, const struct text *value)
{
    journal_put(vhost->options.journal, text_bytes(key), text_bytes(value));
    vhost->journalled = true;
}

void vhost_erase(struct vhost *vhost, const struct text *key)
{
    journal_erase(vhost->options.journal, text_bytes(key));
    vhost->journalled = true;
}

/* Ids are put on record as used in portions, so that few of them cost a write. */
#define LANES_AT_ONCE 1024u

uint64_t vhost_lane_ids(struct vhost *vhost, unsigned count)
{
    if (vhost->lane_next + count > vhost->lane_reserved) {
        static const uint8_t key = LANES_KEY;
        uint8_t value[8];
        struct writer writer = writer_of(value, sizeof value);
        vhost->lane_reserved += LANES_AT_ONCE;
        write_u64(&writer, vhost->lane_reserved);
        journal_put(vhost->options.journal, bytes_of(&key, 1), bytes_of(value, sizeof value));
    }
    vhost->lane_next += count;
    return vhost->lane_next - count;
}
