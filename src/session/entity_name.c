/* Names of queues and exchanges as clients give them: not UTF-8, with line ends in them, or empty.
 */
#include "entity_name.h"

#include "leveret/base/utf8.h"
#include "session_channel.h"
#include "session_state.h"

bool entity_name_check_text(struct session_channel *channel, struct bytes name)
{
    if (utf8_valid(name))
        return true;
    session_fail(channel->session, STATUS_FRAME_ERROR, 0, "Malformed UTF-8 in shortstr");
    return false;
}

struct bytes entity_name_strip(struct bytes name, uint8_t room[ENTITY_NAME_ROOM])
{
    size_t len = 0;
    if (name.len == 0 || name.len > ENTITY_NAME_ROOM ||
        (!memchr(name.at, '\r', name.len) && !memchr(name.at, '\n', name.len)))
        return name;
    for (size_t i = 0; i < name.len; i++) {
        if (name.at[i] != '\r' && name.at[i] != '\n')
            room[len++] = name.at[i];
    }
    return bytes_of(room, len);
}

bool entity_name_resolve(struct session_channel *channel, struct bytes *queue,
                         enum method_id method)
{
    if (queue->len == 0)
        *queue = text_bytes(&channel->last_queue);
    if (queue->len)
        return true;
    session_channel_fail(channel, STATUS_NOT_FOUND, method, "no previously declared queue");
    return false;
}
