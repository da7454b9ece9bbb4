/* What the client is told of a status. Nowhere else does a status become a reply code (AMQP 0-9-1,
 * 1.2). */
#include "error_reply.h"

#include <stdio.h>

#include "leveret/base/utf8.h"
#include "leveret/wire/reply.h"

/* A status that is not listed is an internal error. */
static const uint16_t codes[STATUS_COUNT] = {
    [STATUS_CONTENT_TOO_LARGE] = REPLY_CONTENT_TOO_LARGE,
    [STATUS_NO_ROUTE] = REPLY_NO_ROUTE,
    [STATUS_NO_CONSUMERS] = REPLY_NO_CONSUMERS,
    [STATUS_CONNECTION_FORCED] = REPLY_CONNECTION_FORCED,
    [STATUS_INVALID_PATH] = REPLY_INVALID_PATH,
    [STATUS_ACCESS_REFUSED] = REPLY_ACCESS_REFUSED,
    [STATUS_NOT_FOUND] = REPLY_NOT_FOUND,
    [STATUS_RESOURCE_LOCKED] = REPLY_RESOURCE_LOCKED,
    [STATUS_PRECONDITION_FAILED] = REPLY_PRECONDITION_FAILED,
    [STATUS_FRAME_ERROR] = REPLY_FRAME_ERROR,
    [STATUS_SYNTAX_ERROR] = REPLY_SYNTAX_ERROR,
    [STATUS_MALFORMED] = REPLY_SYNTAX_ERROR,
    [STATUS_COMMAND_INVALID] = REPLY_COMMAND_INVALID,
    [STATUS_CHANNEL_ERROR] = REPLY_CHANNEL_ERROR,
    [STATUS_UNEXPECTED_FRAME] = REPLY_UNEXPECTED_FRAME,
    [STATUS_RESOURCE_ERROR] = REPLY_RESOURCE_ERROR,
    [STATUS_NO_MEMORY] = REPLY_RESOURCE_ERROR,
    [STATUS_LIMIT] = REPLY_RESOURCE_ERROR,
    [STATUS_NOT_ALLOWED] = REPLY_NOT_ALLOWED,
    [STATUS_NOT_IMPLEMENTED] = REPLY_NOT_IMPLEMENTED,
};

uint16_t error_reply_code(enum status status)
{
    return codes[status] ? codes[status] : REPLY_INTERNAL_ERROR;
}

bool error_reply_closes_connection(enum status status)
{
    return reply_closes_connection(error_reply_code(status));
}

/* Makes the text UTF-8, since clients decode it as that: each byte that belongs to no character
 * becomes
 * '?'. When the text was cut, the half of a character at its end is left out. Returns the length.
 */
static size_t make_readable(uint8_t *text, size_t len, bool cut)
{
    size_t at = 0;
    while (at < len) {
        size_t n = utf8_step(text + at, len - at);
        if (n == 0 && cut && len - at < 4 && text[at] >= 0xc2)
            break;
        if (n == 0)
            text[at] = '?';
        at += n ? n : 1;
    }
    return at;
}

struct bytes error_reply_text(enum status status, const char *text, char out[ERROR_REPLY_TEXT_ROOM])
{
    size_t len = (size_t)snprintf(out, ERROR_REPLY_TEXT_ROOM, "%s - %s",
                                  reply_name(error_reply_code(status)), text);
    bool cut = len >= ERROR_REPLY_TEXT_ROOM;
    size_t kept = cut ? NAME_BYTES_MAX : len;
    return bytes_of(out, make_readable((uint8_t *)out, kept, cut));
}
