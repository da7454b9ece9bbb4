/* Texts of refusals: see refuse.h. They are RabbitMQ's, because clients and operators search for
 * them. */
#include "broker/call/refuse.h"

#include <stdarg.h>
#include <stdio.h>

enum status refuse(struct refusal *out, enum status status, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(out->text, sizeof out->text, format, arguments);
    va_end(arguments);
    return status;
}

enum status refuse_missing(struct refusal *out, const char *kind, struct bytes name,
                           struct bytes vhost)
{
    return refuse(out, STATUS_NOT_FOUND, "no %s '%.*s' in vhost '%.*s'", kind, BYTES_PRINT(name),
                  BYTES_PRINT(vhost));
}
