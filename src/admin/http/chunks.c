/* A body in chunks. All but the data of chunks is read byte by byte. */
#include "admin/http/chunks.h"

static int hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* The line with a chunk's size has ended. Returns false when it had no size. */
static bool size_complete(struct chunks *c)
{
    if (c->digits == 0)
        return false;
    c->state = c->left ? CHUNK_DATA : CHUNK_TRAILER;
    c->line_bytes = c->digits = 0;
    c->line_has_text = false;
    return true;
}

/* Takes one byte that is not data of a chunk. Returns false when it cannot stand there. */
static bool take(struct chunks *c, uint8_t byte)
{
    unsigned max = c->state == CHUNK_TRAILER ? CHUNK_TRAILER_BYTES_MAX : CHUNK_LINE_BYTES_MAX;
    if (++c->line_bytes > max)
        return false;
    switch (c->state) {
    case CHUNK_SIZE: {
        int digit = hex_digit(byte);
        if (digit >= 0) {
            c->digits++;
            c->left = c->left * 16 + (uint64_t)digit;
            return c->left <= CHUNK_BYTES_MAX;
        }
        if (byte == '\n')
            return size_complete(c);
        c->state = CHUNK_EXTENSION;
        return c->digits > 0 && (byte == ';' || byte == ' ' || byte == '\t' || byte == '\r');
    }
    case CHUNK_EXTENSION:
        return byte != '\n' || size_complete(c);
    case CHUNK_DATA_END:
        if (byte == '\n') {
            c->state = CHUNK_SIZE;
            c->line_bytes = 0;
            c->left = 0;
            return true;
        }
        return byte == '\r' && c->line_bytes == 1;
    default: /* CHUNK_TRAILER: its fields are ignored */
        if (byte != '\n') {
            c->line_has_text = c->line_has_text || byte != '\r';
            return true;
        }
        if (!c->line_has_text)
            c->state = CHUNK_END;
        c->line_has_text = false;
        return true;
    }
}

enum chunks_result chunks_next(struct chunks *chunks, struct bytes *in, struct bytes *piece)
{
    while (chunks->state != CHUNK_END && in->len) {
        if (chunks->state == CHUNK_DATA) {
            size_t len = in->len < chunks->left ? in->len : (size_t)chunks->left;
            *piece = bytes_of(in->at, len);
            in->at += len;
            in->len -= len;
            chunks->left -= len;
            if (chunks->left == 0) {
                chunks->state = CHUNK_DATA_END;
                chunks->line_bytes = 0;
            }
            return CHUNKS_PIECE;
        }
        if (!take(chunks, in->at[0]))
            return CHUNKS_BAD;
        in->at++;
        in->len--;
    }
    return chunks->state == CHUNK_END ? CHUNKS_DONE : CHUNKS_MORE;
}
