#ifndef LEVERET_BASE_UTF8_H
#define LEVERET_BASE_UTF8_H
/* UTF-8 as RFC 3629 has it: no surrogates, nothing overlong, nothing above U+10FFFF. Any thread. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "leveret/base/bytes.h"

/* The bytes of the character at the beginning of len > 0 bytes; 0: there is none. */
size_t utf8_step(const uint8_t *at, size_t len);
/* Whether the bytes are UTF-8 throughout. */
bool utf8_valid(struct bytes bytes);

#endif
