/* Carbon copies: the headers CC and BCC name further routing keys
 * (https://www.rabbitmq.com/sender-selected.html). Both are arrays of long strings. Receivers of
 * the message do not see BCC, but the broker keeps it, because a dead letter goes by all its keys.
 * Thread: the vhost's owner. */
#ifndef BROKER_COPIES_H
#define BROKER_COPIES_H

#include "leveret/base/message.h"

/* The routing keys of a message: its own, then those of CC and BCC. All zeros at first; reused for
 * the next message. */
struct copies {
    struct bytes *keys; /* views into the message */
    size_t count, room;
};
void copies_free(struct copies *copies);

/* Whether the message has CC or BCC. Cheap for a message without headers. */
bool copies_asked(const struct message *message);
/* The header, "CC" or "BCC", that is not an array, which is an error; *type is then the name of its
 * type. NULL when both are as they should be. */
const char *copies_malformed(const struct message *message, const char **type);
/* Collects the keys, skipping elements that are not long strings. */
void copies_collect(const struct message *message, struct copies *copies);
/* Sets message->blind when it has BCC. Only the caller may have the message. */
void copies_note_blind(struct message *message);
/* A blind message as its receivers get it: a copy without BCC and without the headers that the
 * broker writes for itself (offspring.h, dead_letter_headers.h). Aborts when there is no memory for
 * it. The caller gets a reference. */
struct message *copies_shown(struct message *message);

#endif
