/* Packing answers by gzip (RFC 1952), in one piece or in several. Thread: one at a time. */
#ifndef LEVERET_ADMIN_PACK_H
#define LEVERET_ADMIN_PACK_H

#include <stdbool.h>

#include "leveret/base/text.h"

/* Bytes of the shortest body that is packed. */
#define PACK_BYTES_MIN 1024u
/* Bytes that are packed at once, at most: about a millisecond. */
#define PACK_TURN_BYTES 131072u
/* Memory that a packer takes, in bytes. */
#define PACK_HELD_BYTES (288u << 10)

struct packer;

struct packer *packer_new(void); /* never NULL */
void packer_free(struct packer **packer);
/* Packs the bytes, and adds what has come of them to out, so that the other side can unpack all
 * that was added so far. last: the text ends here. */
void packer_add(struct packer *packer, struct bytes bytes, bool last, struct text *out);

/* Packs a whole text in place. */
void pack_text(struct text *text);

#endif
