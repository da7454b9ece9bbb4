/* Names as clients give them: with line ends that do not belong to them, or left out. */
#include "internal.h"

struct bytes name_stripped(struct bytes name, uint8_t room[NAME_ROOM])
{
    size_t len = 0;
    if (name.len == 0 || name.len > NAME_ROOM ||
        (!memchr(name.at, '\r', name.len) && !memchr(name.at, '\n', name.len)))
        return name;
    for (size_t i = 0; i < name.len; i++) {
        if (name.at[i] != '\r' && name.at[i] != '\n')
            room[len++] = name.at[i];
    }
    return bytes_of(room, len);
}

bool name_resolve(struct channel *channel, struct bytes *queue, enum method_id method)
{
    if (queue->len == 0)
        *queue = text_bytes(&channel->last_queue);
    if (queue->len)
        return true;
    channel_error(channel, STATUS_NOT_FOUND, method, "no previously declared queue");
    return false;
}
