/* Takes apart a body that comes in chunks (RFC 9112, 7.1). Thread: one at a time. */
#ifndef LEVERET_ADMIN_CHUNKS_H
#define LEVERET_ADMIN_CHUNKS_H

#include "leveret/base/bytes.h"

/* Bytes of the line with a chunk's size, of all lines behind the last chunk together, and of one
 * chunk; a body that has more of any is malformed. */
#define CHUNK_LINE_BYTES_MAX    256u
#define CHUNK_TRAILER_BYTES_MAX 4096u
#define CHUNK_BYTES_MAX         (UINT64_C(1) << 40)

/* How far a body has been taken apart. All zeros at first. */
struct chunks {
    enum chunks_state {
        CHUNK_SIZE,      /* the digits of a chunk's size come next */
        CHUNK_EXTENSION, /* the rest of the line with the size */
        CHUNK_DATA,      /* bytes of the body */
        CHUNK_DATA_END,  /* the line end behind a chunk's data */
        CHUNK_TRAILER,   /* the lines behind the last chunk */
        CHUNK_END,       /* nothing: the body has ended */
    } state;
    uint64_t left;       /* bytes of the chunk that have not come; in CHUNK_SIZE its size so far */
    unsigned line_bytes; /* read so far of the line, or of all lines behind the last chunk */
    unsigned digits;     /* of the size, read so far */
    bool line_has_text;  /* true when the line behind the last chunk is not empty */
};

enum chunks_result { CHUNKS_MORE, CHUNKS_PIECE, CHUNKS_DONE, CHUNKS_BAD };

/* Takes bytes from the front of *in. PIECE: *piece is a part of the body, a view into *in, and the
 * caller should call again. MORE: all bytes are taken, and the body has not ended. DONE: the body
 * has ended, and what is left in *in does not belong to it. BAD: the body is malformed. */
enum chunks_result chunks_next(struct chunks *chunks, struct bytes *in, struct bytes *piece);

#endif
