/* Base64 (RFC 4648, 4), in which bodies travel that are not text. */
#ifndef LEVERETCTL_BASE64_H
#define LEVERETCTL_BASE64_H

#include "leveret/base/text.h"

void base64_encode(struct text *out, struct bytes plain);
/* Adds what it understands up to the first character that does not belong. */
void base64_decode(struct text *out, struct bytes encoded);

#endif
