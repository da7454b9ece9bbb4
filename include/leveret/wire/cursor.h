/* Bounds-checked reading and writing of AMQP's elementary types (AMQP 0-9-1, 4.2.5), big-endian.
 * Thread: any; a cursor belongs to one.
 *
 * The error is sticky: read (or write) all fields, then look at `failed` once. After a failure
 * reads return zeros and empty views, and writes do nothing. */
#ifndef LEVERET_WIRE_CURSOR_H
#define LEVERET_WIRE_CURSOR_H

#include "leveret/base/bytes.h"

/* The largest short string, in bytes: its length is one octet (AMQP 0-9-1, 4.2.5.3). Names of
 * exchanges and queues, routing keys, consumer tags and keys of tables are short strings. A client
 * cannot send a longer one; writing one fails, and a longer name from the HTTP API or a file is
 * refused. */
#define NAME_BYTES_MAX 255u

struct reader {
    const uint8_t *at, *end;
    bool failed;
};

struct writer {
    uint8_t *at, *end;
    bool failed;
};

static inline struct reader reader_of(struct bytes b)
{
    return (struct reader){b.at, b.len ? b.at + b.len : b.at, false}; /* at may be NULL */
}

static inline size_t reader_left(const struct reader *r)
{
    return (size_t)(r->end - r->at);
}

/* A view of the next len bytes, valid as long as the bytes that the reader reads. */
static inline struct bytes read_bytes(struct reader *r, size_t len)
{
    if (__builtin_expect(len > reader_left(r), 0)) {
        r->failed = true;
        r->end = r->at; /* so that all later reads fail too, without a test of their own */
        return (struct bytes){NULL, 0};
    }
    struct bytes b = {r->at, len};
    r->at += len;
    return b;
}

static inline uint8_t read_u8(struct reader *r)
{
    struct bytes b = read_bytes(r, 1);
    return b.at ? b.at[0] : 0;
}

static inline uint16_t read_u16(struct reader *r)
{
    struct bytes b = read_bytes(r, 2);
    uint16_t v;
    if (!b.at)
        return 0;
    memcpy(&v, b.at, sizeof v);
    return __builtin_bswap16(v);
}

static inline uint32_t read_u32(struct reader *r)
{
    struct bytes b = read_bytes(r, 4);
    uint32_t v;
    if (!b.at)
        return 0;
    memcpy(&v, b.at, sizeof v);
    return __builtin_bswap32(v);
}

static inline uint64_t read_u64(struct reader *r)
{
    struct bytes b = read_bytes(r, 8);
    uint64_t v;
    if (!b.at)
        return 0;
    memcpy(&v, b.at, sizeof v);
    return __builtin_bswap64(v);
}

static inline struct bytes read_short_string(struct reader *r)
{
    return read_bytes(r, read_u8(r));
}

/* A long string or a table's contents: a length of 32 bits, then that many bytes. */
static inline struct bytes read_long_string(struct reader *r)
{
    return read_bytes(r, read_u32(r));
}

static inline struct writer writer_of(void *at, size_t len)
{
    return (struct writer){at, (uint8_t *)at + len, false};
}

static inline void write_raw(struct writer *w, const void *at, size_t len)
{
    if (__builtin_expect(len > (size_t)(w->end - w->at), 0)) {
        w->failed = true;
        w->end = w->at;
        return;
    }
    if (len)
        memcpy(w->at, at, len);
    w->at += len;
}

static inline void write_u8(struct writer *w, uint8_t v)
{
    write_raw(w, &v, sizeof v);
}

static inline void write_u16(struct writer *w, uint16_t v)
{
    v = __builtin_bswap16(v);
    write_raw(w, &v, sizeof v);
}

static inline void write_u32(struct writer *w, uint32_t v)
{
    v = __builtin_bswap32(v);
    write_raw(w, &v, sizeof v);
}

static inline void write_u64(struct writer *w, uint64_t v)
{
    v = __builtin_bswap64(v);
    write_raw(w, &v, sizeof v);
}

/* Fails when the string is longer than NAME_BYTES_MAX. */
static inline void write_short_string(struct writer *w, struct bytes s)
{
    if (s.len > NAME_BYTES_MAX) {
        w->failed = true;
        w->end = w->at;
        return;
    }
    write_u8(w, (uint8_t)s.len);
    write_raw(w, s.at, s.len);
}

static inline void write_long_string(struct writer *w, struct bytes s)
{
    if (s.len > UINT32_MAX) {
        w->failed = true;
        w->end = w->at;
        return;
    }
    write_u32(w, (uint32_t)s.len);
    write_raw(w, s.at, s.len);
}

#endif
