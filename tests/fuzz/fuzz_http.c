/* Heads of HTTP requests and bodies in chunks: any bytes are read within bounds, and read the same
 * whether they come at once or one by one. */
#include "admin/http/chunks.h"
#include "admin/http/head.h"
#include "leveret/base/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_within(struct bytes outer, struct bytes inner)
{
    CHECK(!inner.at || (inner.at >= outer.at && inner.at + inner.len <= outer.at + outer.len));
}

/* Returns the head's length, or 0. */
static size_t read_head(struct bytes bytes)
{
    struct head head;
    size_t scanned = 0, dripped = 0, found = 0;
    size_t len = head_length(bytes, &scanned);
    for (size_t n = 0; n <= bytes.len && !found; n++)
        found = head_length(bytes_of(bytes.at, n), &dripped);
    CHECK(found == len);
    if (len == 0)
        return 0;
    struct bytes whole = bytes_of(bytes.at, len);
    int code = head_read(whole, &head);
    CHECK(code == 0 || code == 400 || code == 417 || code == 431 || code == 501 || code == 505);
    if (code) {
        CHECK(!head.keep_alive);
        return 0;
    }
    CHECK(head.target.len > 0 && !(head.chunked && head.body_bytes));
    check_within(whole, head.target);
    check_within(whole, head.authorization);
    check_within(whole, head.reason);
    return len;
}

struct outcome {
    enum chunks_result result;
    size_t body_bytes, rest;
};

static struct outcome read_chunks(struct bytes bytes, size_t step)
{
    struct chunks chunks = {.state = CHUNK_SIZE};
    struct outcome out = {.result = CHUNKS_MORE};
    while (bytes.len && out.result == CHUNKS_MORE) {
        struct bytes in = bytes_of(bytes.at, step < bytes.len ? step : bytes.len), piece;
        size_t offered = in.len;
        while ((out.result = chunks_next(&chunks, &in, &piece)) == CHUNKS_PIECE) {
            check_within(bytes, piece);
            CHECK(piece.len > 0);
            out.body_bytes += piece.len;
        }
        bytes.at += offered - in.len;
        bytes.len -= offered - in.len;
    }
    out.rest = bytes.len;
    return out;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes all = bytes_of(data, size);
    size_t len = read_head(all);
    struct bytes body = bytes_of(data + len, size - len);
    struct outcome whole = read_chunks(body, SIZE_MAX), drips = read_chunks(body, 1);
    CHECK(whole.result == drips.result && whole.body_bytes == drips.body_bytes);
    CHECK(whole.result != CHUNKS_DONE || whole.rest == drips.rest);
    return 0;
}
