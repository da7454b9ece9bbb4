/* Why a command is refused: the explanation that goes into the reply text, without the code's name.
 * Thread: the vhost's owner. */
#ifndef BROKER_REFUSE_H
#define BROKER_REFUSE_H

#include "leveret/base/bytes.h"
#include "leveret/base/status.h"

/* Bytes of a refusal's text with its zero; a longer text is cut. Clients see at most 255 bytes,
 * which is what a reply text can have on the wire. */
#define REFUSAL_TEXT_MAX 512u

struct refusal {
    char text[REFUSAL_TEXT_MAX]; /* zero-ended */
};

/* Writes the text into *out and returns status, so that a caller can return that in turn. */
MUST_USE enum status refuse(struct refusal *out, enum status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Writes "no queue 'q' in vhost '/'" and returns NOT_FOUND. kind: "queue" or "exchange". */
MUST_USE enum status refuse_missing(struct refusal *out, const char *kind, struct bytes name,
                                    struct bytes vhost);

#endif
