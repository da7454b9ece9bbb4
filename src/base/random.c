/* Random bytes from the kernel, and a small seeded generator: splitmix64 (Steele, Lea, Flood: Fast
 * splittable pseudorandom number generators, OOPSLA 2014). */
#include "leveret/base/random.h"

#include <errno.h>
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

uint64_t random_next(struct random_stream *stream)
{
    uint64_t z = stream->state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

void random_name(struct random_stream *stream, char out[RANDOM_NAME_LEN + 1])
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    /* 128 bits in digits of 6: 10 from each half, 2 more from what is left of both. */
    uint64_t drawn[2] = {random_next(stream), random_next(stream)};
    uint64_t a = map_hash(bytes_of(drawn, sizeof drawn));
    drawn[0] = ~drawn[0];
    uint64_t b = map_hash(bytes_of(drawn, sizeof drawn));
    for (int i = 0; i < 10; i++, a >>= 6, b >>= 6) {
        out[i] = digits[a & 63];
        out[10 + i] = digits[b & 63];
    }
    out[20] = digits[(a & 15) | ((b & 3) << 4)];
    out[21] = digits[(b >> 2) & 3];
    out[22] = '\0';
}
