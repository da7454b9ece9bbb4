/* Part of notice (notice/notice.h): publishes the notices that wait. See notice_send.h. */
#include "broker/publish/notice_send.h"

#include "broker/publish/publish.h"

bool notices_send(struct vhost *vhost)
{
    struct notices *notices = &vhost->notices;
    size_t routed;
    if (notices->count == 0)
        return false;
    for (size_t i = 0; i < notices->count; i++) {
        publish_internal(vhost, notices->messages[i], &routed);
        message_unref(&notices->messages[i]);
    }
    notices->count = 0;
    return true;
}
