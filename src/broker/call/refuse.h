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

/* A client declares an object that exists already: the object, and where a refusal is written. */
struct equivalence {
    struct refusal *refusal;
    const char *kind; /* "queue" or "exchange" */
    struct bytes name, vhost;
};
/* Each checks whether one attribute of the declaration (received) is that of the object (current).
 * Errors: PRECONDITION_FAILED "inequivalent arg 'durable' for queue 'q' in vhost '/': received
 * 'false' but current is 'true'". */
MUST_USE enum status equivalent_flag(const struct equivalence *check, const char *key,
                                     bool received, bool current);
MUST_USE enum status equivalent_text(const struct equivalence *check, const char *key,
                                     struct bytes received, struct bytes current);
/* Compares one key of two checked argument tables; integers are equal by value, whatever their
 * width.
 * Errors: PRECONDITION_FAILED "…: received none but current is the value '10' of type 'signedint'".
 */
MUST_USE enum status equivalent_argument(const struct equivalence *check, const char *key,
                                         struct bytes received, struct bytes current);

#endif
