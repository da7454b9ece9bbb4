/* Random bytes from the kernel, and a small seeded generator: splitmix64 (Steele, Lea, Flood: Fast
 * splittable pseudorandom number generators, OOPSLA 2014). */
#include "leveret/base/random.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "leveret/base/check.h"
#include "leveret/base/map.h"

void random_bytes(void *out, size_t len)
{
    uint8_t *at = out;
    while (len) {
        ssize_t got = getrandom(at, len, 0);
        if (got < 0 && errno == EINTR)
            continue;
        CHECK(got > 0);
        at += got;
        len -= (size_t)got;
    }
}

void random_hex(char *out, size_t len)
{
    uint8_t bytes[RANDOM_HEX_BYTES_MAX];
    CHECK(len <= sizeof bytes);
    random_bytes(bytes, len);
    for (size_t i = 0; i < len; i++)
        snprintf(out + 2 * i, 3, "%02x", bytes[i]);
}

uint64_t random_next(struct random_stream *stream)
{
    uint64_t z = stream->state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static void draw_secret(struct random_stream *stream, uint64_t out[2])
{
    uint64_t drawn[2] = {random_next(stream), random_next(stream)};
    out[0] = map_hash(bytes_of(drawn, sizeof drawn));
    drawn[0] = ~drawn[0];
    out[1] = map_hash(bytes_of(drawn, sizeof drawn));
}

void random_secret(struct random_stream *stream, uint8_t out[RANDOM_SECRET_BYTES])
{
    uint64_t secret[2];
    draw_secret(stream, secret);
    memcpy(out, secret, sizeof secret);
}

void random_name(struct random_stream *stream, char out[RANDOM_NAME_LEN + 1])
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    /* 128 bits as 22 digits: 10 digits from each half, 2 from the bits that remain. */
    uint64_t secret[2];
    draw_secret(stream, secret);
    uint64_t a = secret[0], b = secret[1];
    for (int i = 0; i < 10; i++, a >>= 6, b >>= 6) {
        out[i] = digits[a & 63];
        out[10 + i] = digits[b & 63];
    }
    out[20] = digits[(a & 15) | ((b & 3) << 4)];
    out[21] = digits[(b >> 2) & 3];
    out[22] = '\0';
}
