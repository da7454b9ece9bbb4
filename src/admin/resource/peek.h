/* Part of the api: looking at the messages of a queue without taking them, and one message by its
 * id. Thread: the main thread. */
#ifndef LEVERET_ADMIN_PEEK_H
#define LEVERET_ADMIN_PEEK_H

#include "admin/http/routes.h"
#include "leveret/broker/command.h"

extern const struct route api_peek[];

/* Reads a message's id, "LANE-SEQ", as peek tells it; to clients it is an opaque text. Returns
 * false when it is not one. */
bool api_message_place(const char *id, struct message_place *out);

#endif
