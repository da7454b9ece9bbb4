/* Base64 (RFC 4648, section 4). Any thread. */
#ifndef LEVERET_BASE_BASE64_H
#define LEVERET_BASE_BASE64_H

#include "leveret/base/text.h"

/* Padding may be missing: a new zero-ended block, or NULL when the text is none. */
uint8_t *base64_decode(struct bytes text, size_t *len);
/* Appends it, with padding. */
void base64_encode(struct text *out, struct bytes plain);

#endif
