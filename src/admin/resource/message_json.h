/* Part of the api: a message as JSON. Thread: the main thread. */
#ifndef LEVERET_ADMIN_MESSAGE_JSON_H
#define LEVERET_ADMIN_MESSAGE_JSON_H

#include "admin/json/answer.h"
#include "leveret/base/message.h"

struct message_shape {
    uint64_t truncate; /* bytes of a payload that are told; the rest is cut off */
    bool no_payload;   /* true: the payload is null, whatever the message has */
    bool base64;       /* true: every payload is told as base64; false: those that are not UTF-8 */
};

/* Writes what a message is into the object that is open: exchange, routing_key, properties,
 * payload, payload_bytes, payload_encoding. */
void message_json_write(struct answer *answer, const struct message *message,
                        const struct message_shape *shape);

#endif
