/* A body in chunks (RFC 9112, 7.1), taken apart. Pure. */
#ifndef LEVERET_ADMIN_CHUNKS_H
#define LEVERET_ADMIN_CHUNKS_H

#include "leveret/base/bytes.h"

/* What stands around the chunks, per line and in all trailers: more is malformed. */
#define CHUNK_LINE_BYTES_MAX    256u
#define CHUNK_TRAILER_BYTES_MAX 4096u
#define CHUNK_BYTES_MAX         (UINT64_C(1) << 40) /* of one chunk */

/* All zeros at first. */
struct chunks {
    enum chunks_state {
        CHUNK_SIZE,      /* digits of a size */
        CHUNK_EXTENSION, /* the rest of the size's line */
        CHUNK_DATA,
        CHUNK_DATA_END, /* the line end behind the data */
        CHUNK_TRAILER,  /* lines behind the last chunk */
        CHUNK_END,
    } state;
    uint64_t left;       /* of the chunk: bytes to come; in CHUNK_SIZE the size so far */
    unsigned line_bytes; /* of the line, or the trailers */
    unsigned digits;     /* of the size */
    bool line_has_text;  /* of a trailer's line */
};

enum chunks_result { CHUNKS_MORE, CHUNKS_PIECE, CHUNKS_DONE, CHUNKS_BAD };

/* Takes bytes from the front of *in. PIECE: *piece is a part of the body (a view into in); call
 * again. MORE: all is taken and the body goes on. DONE: the body has ended, what is left of *in is
 * not its own. BAD: malformed. */
enum chunks_result chunks_next(struct chunks *chunks, struct bytes *in, struct bytes *piece);

#endif
