/* Values as they may stand in a line of output. */
#ifndef LEVERETCTL_ESCAPE_H
#define LEVERETCTL_ESCAPE_H

#include "leveret/base/text.h"

/* Control characters as \xHH, those of Unicode too. */
void escape_for_terminal(struct text *out, struct bytes value);
/* \t, \n, \r and \\. */
void escape_for_tsv(struct text *out, struct bytes value);
/* In quotes, a quote in it doubled. */
void escape_for_csv(struct text *out, struct bytes value);

/* The width in characters, not bytes; malformed UTF-8 is counted roughly. */
size_t escape_width(struct bytes value);
/* The bytes that the first so many characters have. */
size_t escape_cut(struct bytes value, size_t width);

#endif
