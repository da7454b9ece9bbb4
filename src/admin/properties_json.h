/* Message properties between AMQP and JSON. Any one thread. */
#ifndef LEVERET_ADMIN_PROPERTIES_JSON_H
#define LEVERET_ADMIN_PROPERTIES_JSON_H

#include "answer.h"
#include "leveret/wire/properties.h"
#include "value.h"

/* Writes decoded properties under key; [] for none, as RabbitMQ does. */
void properties_write(struct answer *answer, const char *key, const struct properties *properties);

/* Reads a JSON object. headers holds the headers table that *out then points into; free it. On an
 * error *wrong is the key at fault and *what what it is not ("not_int", "not_string",
 * "not_object"). Errors: MALFORMED. */
MUST_USE enum status properties_read(const struct value *object, struct properties *out,
                                     struct text *headers, const char **wrong, const char **what);

#endif
