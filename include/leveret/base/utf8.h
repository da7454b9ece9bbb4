/* UTF-8 as RFC 3629 defines it: no surrogates, nothing overlong, nothing above U+10FFFF.
 * Thread: any. */
#ifndef LEVERET_BASE_UTF8_H
#define LEVERET_BASE_UTF8_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "leveret/base/bytes.h"

/* The number of bytes of the character at the beginning of len > 0 bytes; 0 when they begin with
 * none. */
size_t utf8_step(const uint8_t *at, size_t len);
/* Whether all of the bytes are UTF-8. */
bool utf8_valid(struct bytes bytes);

#endif
