/* Class access, of AMQP 0-8: access.request asks for a ticket, which later methods were to show. */
#include "access_class.h"

#include "session_channel.h"

/* Every client gets the same ticket, and no method looks at it: permissions are checked for each
 * method anew. */
void access_class_method(struct session_channel *channel, const struct method *method)
{
    const struct method ok = {.id = METHOD_ACCESS_REQUEST_OK, .u.access_request_ok = {.ticket = 1}};
    if (method->id == METHOD_ACCESS_REQUEST)
        session_channel_write(channel, &ok);
    else
        session_channel_fail_unexpected(channel, method->id);
}
