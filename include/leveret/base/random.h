/* Random bytes and names. Thread: any. */
#ifndef LEVERET_BASE_RANDOM_H
#define LEVERET_BASE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

/* Fills out with unpredictable bytes from the kernel. Aborts when the kernel gives none. */
void random_bytes(void *out, size_t len);
/* So many of them as hexadecimal digits, two for each byte, and a zero. len: at most
 * RANDOM_HEX_BYTES_MAX. */
#define RANDOM_HEX_BYTES_MAX 16u
void random_hex(char *out, size_t len);

/* A small fast generator with a seed, for the core, which must be deterministic, and for tests. */
struct random_stream {
    uint64_t state;
};
uint64_t random_next(struct random_stream *stream);

/* 16 bytes of the stream, hashed with the process's secret (map_set_secret): a client that knows
 * some of them cannot predict the next ones. */
#define RANDOM_SECRET_BYTES 16
void random_secret(struct random_stream *stream, uint8_t out[RANDOM_SECRET_BYTES]);

/* The same as 22 characters of base64url, zero-ended: for server-named queues and consumer tags. */
#define RANDOM_NAME_LEN 22
void random_name(struct random_stream *stream, char out[RANDOM_NAME_LEN + 1]);

#endif
