/* Base64 (RFC 4648, section 4). Thread: any. */
#ifndef LEVERET_BASE_BASE64_H
#define LEVERET_BASE_BASE64_H

#include "leveret/base/text.h"

/* Decodes text, whose padding may be missing. Returns a new zero-ended block that the caller frees,
 * or NULL when text is not Base64. *len: its bytes, without the zero. */
uint8_t *base64_decode(struct bytes text, size_t *len);
/* Appends plain, encoded with padding, to out. */
void base64_encode(struct text *out, struct bytes plain);

#endif
