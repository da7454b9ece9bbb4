/* Publisher confirms: from what the core promises to basic.ack and basic.nack.
 *
 * Thread: the worker of the session. */
#ifndef LEVERET_SESSION_CONFIRM_H
#define LEVERET_SESSION_CONFIRM_H

#include <stdbool.h>
#include <stdint.h>

struct session;
struct session_channel;

/* A channel's confirm that is not written yet; later ones of the same turn are merged with it. */
struct open_confirm {
    uint64_t upto;
    bool some; /* there is one */
    bool multiple, nack;
};

/* The core has confirmed the publish with the number upto (multiple: and all before it). */
void confirm_add(struct session_channel *channel, uint64_t upto, bool multiple, bool nack);
/* Writes the channel's open confirm, if there is one, so that it leaves before what the caller
 * writes next. */
void confirm_write(struct session_channel *channel);
/* Writes the open confirms of all channels. */
void confirm_flush(struct session *session);
/* Takes a channel that is about to be freed out of the list of those with an open confirm. */
void confirm_forget(struct session_channel *channel);

#endif
