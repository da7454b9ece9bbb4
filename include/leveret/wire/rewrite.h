/* A message with other headers: what the broker adds for receivers, notes for itself, or hides.
 * Pure functions; any thread.
 *
 * Normal course: rewrite_begin; the new headers are written into `headers`, most of them by
 * rewrite_keep; rewrite_end makes the copy. */
#ifndef LEVERET_WIRE_REWRITE_H
#define LEVERET_WIRE_REWRITE_H

#include "leveret/base/message.h"
#include "leveret/base/text.h"
#include "leveret/wire/properties.h"

struct rewrite {
    struct properties properties; /* of the message; views into it */
    struct text headers;          /* the new ones: a table's contents */
};

/* False: the message's properties cannot be read, and there is nothing to end. */
MUST_USE bool rewrite_begin(struct rewrite *rewrite, const struct message *message);
/* Copies the message's headers, in order, but for those whose keys are in the list (NULL-ended). */
void rewrite_keep(struct rewrite *rewrite, const char *const *dropped);
/* The message with the new headers, else as message_with_properties; one reference is the caller's.
 * Frees what the rewrite holds. Errors: NULL when there is no memory. */
struct message *rewrite_end(struct rewrite *rewrite, const struct message *message);

#endif
