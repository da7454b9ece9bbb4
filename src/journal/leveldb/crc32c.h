/* CRC-32C (Castagnoli), the checksum in LevelDB's files.
 *
 * Thread: any. */
#ifndef LEVERET_JOURNAL_CRC32C_H
#define LEVERET_JOURNAL_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* Adds len bytes to a checksum: crc is that of the bytes before them, or 0. */
uint32_t crc32c_extend(uint32_t crc, const uint8_t *at, size_t len);

/* The same, never using the processor's own instruction. */
uint32_t crc32c_by_tables(uint32_t crc, const uint8_t *at, size_t len);

/* Undoes what LevelDB does to a checksum before it stores it: it rotates the checksum and adds a
 * constant. */
static inline uint32_t crc32c_unmask(uint32_t masked)
{
    uint32_t turned = masked - 0xa282ead8u;
    return turned >> 17 | turned << 15;
}

#endif
