/* Message properties between AMQP and JSON. Any one thread. */
#ifndef LEVERET_ADMIN_PROPERTIES_JSON_H
#define LEVERET_ADMIN_PROPERTIES_JSON_H

#include "admin/json/answer.h"
#include "admin/json/form.h"
#include "leveret/wire/properties.h"

/* Writes decoded properties under key; [] for none, as RabbitMQ does. */
void answer_properties(struct answer *answer, const char *key, const struct properties *properties);

/* Reads the object in the form's field; [] is what answer_properties makes of none. headers holds
 * the headers table that *out then points into; free it. What is wrong is noted in the form. */
void form_properties(struct form *form, const char *key, struct properties *out,
                     struct text *headers);

#endif
