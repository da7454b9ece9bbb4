/* Packing, by zlib. The fastest level: answers are packed on the main thread, and their keys and
 * names repeat so much that a slower one gains little. */
#include "admin/http/pack.h"

#include <stdlib.h>
#include <zlib.h>

#include "leveret/base/check.h"
#include "leveret/base/mem.h"

#define LEVEL       1
#define WINDOW_BITS (15 + 16) /* the largest window; 16: with gzip's head and end */
#define MEMORY      8

struct packer {
    z_stream stream;
};

struct packer *packer_new(void)
{
    struct packer *packer = mem_need(sizeof *packer);
    CHECK(deflateInit2(&packer->stream, LEVEL, Z_DEFLATED, WINDOW_BITS, MEMORY,
                       Z_DEFAULT_STRATEGY) == Z_OK);
    return packer;
}

void packer_free(struct packer **packer)
{
    struct packer *p = *packer;
    *packer = NULL;
    if (!p)
        return;
    (void)deflateEnd(&p->stream);
    free(p);
}

void packer_add(struct packer *packer, struct bytes bytes, bool last, struct text *out)
{
    z_stream *stream = &packer->stream;
    size_t room = bytes.len / 4 + 256;
    stream->next_in = (Bytef *)(uintptr_t)bytes.at;
    stream->avail_in = (uInt)bytes.len;
    do {
        stream->next_out = text_reserve(out, room);
        stream->avail_out = (uInt)room;
        (void)deflate(stream, last ? Z_FINISH : Z_SYNC_FLUSH);
        out->len += room - stream->avail_out;
    } while (stream->avail_out == 0);
}

void pack_text(struct text *text)
{
    struct packer *packer = packer_new();
    struct text packed = {0};
    packer_add(packer, text_bytes(text), true, &packed);
    packer_free(&packer);
    text_free(text);
    *text = packed;
}
