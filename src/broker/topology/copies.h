/* Carbon copies: the headers CC and BCC name further routing keys
 * (https://www.rabbitmq.com/sender-selected.html). Both are arrays of long strings; BCC is not
 * shown to who receives the message, but kept: it dies by all its keys. Thread: the vhost's owner.
 */
#ifndef BROKER_COPIES_H
#define BROKER_COPIES_H

#include "leveret/base/message.h"

/* The routing keys of a message: its own, then those of CC and BCC. All zeros at first; reused from
 * message to message. */
struct copies {
    struct bytes *keys; /* views into the message */
    size_t count, room;
};
void copies_free(struct copies *copies);

/* Whether the message has either header. Cheap for one without headers. */
bool copies_asked(const struct message *message);
/* The header that is not an array, which is an error: "CC" or "BCC", and into *type the name of
 * what it is instead; NULL: none. */
const char *copies_malformed(const struct message *message, const char **type);
/* Collects the keys; elements that are no long strings are passed over. */
void copies_collect(const struct message *message, struct copies *copies);
/* Notes in a message that nobody else has seen yet whether it has blind copies. */
void copies_note_blind(struct message *message);
/* A message with blind copies as its receivers get it: a copy without BCC and without what the
 * broker notes for itself (offspring.h, death.h), or itself when there is no memory. The caller
 * gets a reference. */
struct message *copies_shown(struct message *message);

#endif
