/* What the client is told of a status: AMQP's reply codes (AMQP 0-9-1, 1.2) and their texts.
 *
 * Thread: any. */
#ifndef LEVERET_SESSION_ERROR_REPLY_H
#define LEVERET_SESSION_ERROR_REPLY_H

#include "leveret/base/bytes.h"
#include "leveret/base/status.h"
#include "leveret/wire/cursor.h"

/* Bytes for a reply text with a zero behind it. */
#define ERROR_REPLY_TEXT_ROOM (NAME_BYTES_MAX + 1)

/* The reply code of a status; 541 INTERNAL_ERROR for one that has none of its own. */
uint16_t error_reply_code(enum status status);
/* Whether the code closes the connection, not only the channel. */
bool error_reply_closes_connection(enum status status);
/* "NAME - text" in out, cut to NAME_BYTES_MAX. It is UTF-8 even when text is not. */
struct bytes error_reply_text(enum status status, const char *text,
                              char out[ERROR_REPLY_TEXT_ROOM]);

#endif
