/* Part of answer and form: message properties. Thread: one at a time. */
#ifndef LEVERET_ADMIN_PROPERTIES_JSON_H
#define LEVERET_ADMIN_PROPERTIES_JSON_H

#include "admin/json/answer.h"
#include "admin/json/form.h"
#include "leveret/wire/properties.h"

/* Writes properties as an object under key; as [] when a message has none, as RabbitMQ does. */
void answer_properties(struct answer *answer, const char *key, const struct properties *properties);

/* Reads properties from the form's field: an object, or [] for none. *out has views into the JSON
 * and into *headers, which the caller frees. What is wrong is noted in the form. */
void form_properties(struct form *form, const char *key, struct properties *out,
                     struct text *headers);

#endif
