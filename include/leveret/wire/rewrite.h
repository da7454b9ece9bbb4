/* Copies of messages with other headers: those that the broker adds for receivers, notes for
 * itself, or hides. Thread: any; pure functions.
 *
 * Normal course: rewrite_begin; the new headers are written into `headers`, most of them by
 * rewrite_keep; rewrite_end makes the copy. */
#ifndef LEVERET_WIRE_REWRITE_H
#define LEVERET_WIRE_REWRITE_H

#include "leveret/base/message.h"
#include "leveret/base/text.h"
#include "leveret/wire/properties.h"

struct rewrite {
    struct properties properties; /* the message's properties, views into it */
    struct text headers;          /* the new headers: a table's contents */
};

/* Returns false when the message's properties cannot be decoded; rewrite_end must not be called
 * then. */
MUST_USE bool rewrite_begin(struct rewrite *rewrite, const struct message *message);
/* Appends the message's headers in their order, except those whose keys are in the
 * NULL-ended list. */
void rewrite_keep(struct rewrite *rewrite, const char *const *dropped);
/* Returns a copy of the message with the new headers, made by message_with_properties; one
 * reference for the caller. Frees what the rewrite holds. Errors: NULL when there is no memory. */
struct message *rewrite_end(struct rewrite *rewrite, const struct message *message);

#endif
