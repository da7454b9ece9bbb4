/* Percent-encoding (RFC 3986, 2.1), and the keys of bindings, which are made with it. Thread: any.
 */
#ifndef LEVERET_ADMIN_URL_H
#define LEVERET_ADMIN_URL_H

#include "leveret/base/text.h"

/* Returns true when raw can stand in a path or query: each % is followed by two hexadecimal digits,
 * and the decoded text is UTF-8. */
bool url_sound(struct bytes raw);
/* Decodes %XX, and '+' as a blank when plus is true. Returns a new zero-ended text that the caller
 * frees. It may hold zeros: *len is its length; len may be NULL. */
char *url_decode(struct bytes raw, bool plus, size_t *len);
/* Appends plain, encoded as RabbitMQ's quote_plus does: letters, digits and "._-" stay, a blank
 * becomes '+', all else %XX. '~' becomes %7E when tilde is true, and stays otherwise. */
void url_quote(struct text *out, struct bytes plain, bool tilde);

/* Appends a binding's "properties_key": the last part of its path in the API. arguments are the
 * contents of a table that has been checked. */
void url_binding_key(struct text *out, struct bytes routing_key, struct bytes arguments);

#endif
