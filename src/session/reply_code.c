/* The one place where a status becomes a reply code. */
#include <stdio.h>

#include "internal.h"

struct reply {
    uint16_t code;
    bool hard;
    const char *name;
};

/* AMQP 0-9-1, 1.2; statuses that are not listed are internal errors. */
static const struct reply replies[STATUS_COUNT] = {
    [STATUS_CONTENT_TOO_LARGE] = {311, false, "CONTENT_TOO_LARGE"},
    [STATUS_NO_ROUTE] = {312, false, "NO_ROUTE"},
    [STATUS_NO_CONSUMERS] = {313, false, "NO_CONSUMERS"},
    [STATUS_ACCESS_REFUSED] = {403, false, "ACCESS_REFUSED"},
    [STATUS_NOT_FOUND] = {404, false, "NOT_FOUND"},
    [STATUS_RESOURCE_LOCKED] = {405, false, "RESOURCE_LOCKED"},
    [STATUS_PRECONDITION_FAILED] = {406, false, "PRECONDITION_FAILED"},
    [STATUS_CONNECTION_FORCED] = {320, true, "CONNECTION_FORCED"},
    [STATUS_INVALID_PATH] = {402, true, "INVALID_PATH"},
    [STATUS_FRAME_ERROR] = {501, true, "FRAME_ERROR"},
    [STATUS_SYNTAX_ERROR] = {502, true, "SYNTAX_ERROR"},
    [STATUS_MALFORMED] = {502, true, "SYNTAX_ERROR"},
    [STATUS_COMMAND_INVALID] = {503, true, "COMMAND_INVALID"},
    [STATUS_CHANNEL_ERROR] = {504, true, "CHANNEL_ERROR"},
    [STATUS_UNEXPECTED_FRAME] = {505, true, "UNEXPECTED_FRAME"},
    [STATUS_RESOURCE_ERROR] = {506, true, "RESOURCE_ERROR"},
    [STATUS_NO_MEMORY] = {506, true, "RESOURCE_ERROR"},
    [STATUS_LIMIT] = {506, true, "RESOURCE_ERROR"},
    [STATUS_NOT_ALLOWED] = {530, true, "NOT_ALLOWED"},
    [STATUS_NOT_IMPLEMENTED] = {540, true, "NOT_IMPLEMENTED"},
    [STATUS_INTERNAL_ERROR] = {541, true, "INTERNAL_ERROR"},
};

static const struct reply *find(enum status status)
{
    const struct reply *reply = &replies[status];
    return reply->code ? reply : &replies[STATUS_INTERNAL_ERROR];
}

uint16_t reply_code(enum status status)
{
    return find(status)->code;
}

const char *reply_name(enum status status)
{
    return find(status)->name;
}

bool reply_is_hard(enum status status)
{
    return find(status)->hard;
}

struct bytes reply_text(enum status status, const char *text, char out[256])
{
    int len = snprintf(out, 256, "%s - %s", reply_name(status), text);
    return bytes_of(out, len > 255 ? 255 : (size_t)len);
}
