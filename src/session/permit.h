/* Permissions: may the session's user do this? The functions below return false when the user may
 * not, and then the channel has been failed with 403.
 *
 * Thread: the worker of the session. */
#ifndef LEVERET_SESSION_PERMIT_H
#define LEVERET_SESSION_PERMIT_H

#include "leveret/auth/auth.h"
#include "leveret/wire/cursor.h"
#include "leveret/wire/method.h"

struct command;
struct session_channel;

/* The exchange that a session last published to with permission. */
struct permit_memory {
    bool known;       /* there is one */
    uint64_t version; /* auth_version() when the permission was given */
    uint8_t len;
    char exchange[NAME_BYTES_MAX];
};

/* One right on a queue (or, when queue is false, an exchange). */
bool permit(struct session_channel *channel, enum permission permission, bool queue,
            struct bytes name, enum method_id method);
/* Any of the three rights. The refusal speaks of configure. */
bool permit_any(struct session_channel *channel, bool queue, struct bytes name,
                enum method_id method);
/* The source of a binding that the command makes or removes: the right to read it, also with this
 * routing key. */
bool permit_source(struct session_channel *channel, const struct command *command,
                   enum method_id method);
/* Publishing to an exchange: the right to write to it. */
bool permit_publish(struct session_channel *channel, struct bytes exchange);
/* The exchange that an argument of a declaration names (alternate-exchange of an exchange,
 * x-dead-letter-exchange of a queue): the rights to read the declared exchange or queue, and to
 * write to the one that is named. */
bool permit_arguments(struct session_channel *channel, bool queue, struct bytes name,
                      struct bytes arguments, enum method_id method);

#endif
