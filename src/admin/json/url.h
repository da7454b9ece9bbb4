/* Percent-encoding (RFC 3986, 2.1), and the keys of bindings, which are made with it. Any thread.
 */
#ifndef LEVERET_ADMIN_URL_H
#define LEVERET_ADMIN_URL_H

#include "leveret/base/text.h"

/* Whether each % has two hexadecimal digits behind it and what it all stands for is UTF-8, as every
 * name in a path or query has to be. */
bool url_sound(struct bytes raw);
/* A new zero-ended text with %XX (and '+' if plus) decoded; *len (may be NULL) for those that hold
 * zeros. */
char *url_decode(struct bytes raw, bool plus, size_t *len);
/* Appends as RabbitMQ's quote_plus does: letters, digits and "._-" stay, blank becomes '+'. '~'
 * becomes %7E if tilde. */
void url_quote(struct text *out, struct bytes plain, bool tilde);

/* The properties key of a binding: how its place in the API is called. arguments: a checked table's
 * contents. */
void url_binding_key(struct text *out, struct bytes routing_key, struct bytes arguments);

#endif
