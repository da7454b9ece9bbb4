/* Carbon copies: the headers CC and BCC name further routing keys
 * (https://www.rabbitmq.com/sender-selected.html). Both are arrays of long strings; BCC is removed
 * before the message is stored or delivered. Thread: the vhost's owner. */
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
/* The header that is not an array, which is an error: "CC" or "BCC"; NULL: none. */
const char *copies_malformed(const struct message *message);
/* Collects the keys; elements that are no long strings are passed over. */
void copies_collect(const struct message *message, struct copies *copies);
/* The message as its receivers get it: itself, or a copy without BCC. The caller gets a reference.
 * NULL when there is no memory. */
struct message *copies_unblinded(struct message *message);

#endif
