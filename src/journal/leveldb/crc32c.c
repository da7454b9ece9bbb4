/* See crc32c.h. The processor's instruction is used where there is one, tables elsewhere. */
#include "journal/leveldb/crc32c.h"

#include <endian.h>
#include <pthread.h>
#include <string.h>

#define POLYNOMIAL 0x82f63b78u /* with its bits in reverse order */

static uint32_t tables[8][256];
static pthread_once_t tables_made = PTHREAD_ONCE_INIT;

static void make_tables(void)
{
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t crc = i;
        for (unsigned bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? POLYNOMIAL : 0);
        tables[0][i] = crc;
    }
    for (uint32_t i = 0; i < 256; i++)
        for (unsigned t = 1; t < 8; t++)
            tables[t][i] = tables[t - 1][i] >> 8 ^ tables[0][tables[t - 1][i] & 0xff];
}

static uint32_t extend_by_tables(uint32_t crc, const uint8_t *at, size_t len)
{
    pthread_once(&tables_made, make_tables);
    for (; len >= 8; at += 8, len -= 8) {
        uint64_t eight;
        memcpy(&eight, at, 8);
        eight = le64toh(eight) ^ crc;
        crc = 0;
        for (unsigned t = 0; t < 8; t++)
            crc ^= tables[7 - t][eight >> (8 * t) & 0xff];
    }
    for (; len > 0; at++, len--)
        crc = crc >> 8 ^ tables[0][(crc ^ *at) & 0xff];
    return crc;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) static uint32_t
extend_by_instruction(uint32_t crc, const uint8_t *at, size_t len)
{
    uint64_t wide = crc;
    for (; len >= 8; at += 8, len -= 8) {
        uint64_t eight;
        memcpy(&eight, at, 8);
        wide = __builtin_ia32_crc32di(wide, eight);
    }
    crc = (uint32_t)wide;
    for (; len > 0; at++, len--)
        crc = __builtin_ia32_crc32qi(crc, *at);
    return crc;
}
#endif

uint32_t crc32c_by_tables(uint32_t crc, const uint8_t *at, size_t len)
{
    return ~extend_by_tables(~crc, at, len);
}

uint32_t crc32c_extend(uint32_t crc, const uint8_t *at, size_t len)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("sse4.2"))
        return ~extend_by_instruction(~crc, at, len);
#endif
    return crc32c_by_tables(crc, at, len);
}
