/* CRC-32C (Castagnoli), the checksum in LevelDB's files. Any thread. */
#ifndef LEVERET_JOURNAL_CRC32C_H
#define LEVERET_JOURNAL_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* The checksum of what crc (0 at first) was made of, followed by len bytes. */
uint32_t crc32c_extend(uint32_t crc, const uint8_t *at, size_t len);

/* The same without the processor's instruction. */
uint32_t crc32c_by_tables(uint32_t crc, const uint8_t *at, size_t len);

/* LevelDB stores checksums turned and shifted by a constant. */
static inline uint32_t crc32c_unmask(uint32_t masked)
{
    uint32_t turned = masked - 0xa282ead8u;
    return turned >> 17 | turned << 15;
}

#endif
