/* Decimal numbers in text: digits only, no sign, no blank before them, nothing that overflows. Any
 * thread. */
#ifndef LEVERET_BASE_NUMBER_H
#define LEVERET_BASE_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Reads the digits at the start of text; returns where they end, or NULL (and leaves *out alone)
 * when there are none or the number does not fit. */
const char *number_scan(const char *text, uint64_t *out);
/* Whether all of text is one number of at most max. */
bool number_read(const char *text, uint64_t max, uint64_t *out);

/* A number of bytes with its unit, or none: "1048576", "50MB", "1 GiB"; k, M, G and T are powers of
 * 1,024. Returns NULL, or what is wrong with the text ("must be …"). */
const char *number_size(const char *text, uint64_t *out);

/* Reads the first numbers of a file of the kernel's (/proc, cgroups), with blanks between them.
 * Returns how many there were, at most count; 0 too when the file cannot be read. */
size_t number_file(const char *path, uint64_t *out, size_t count);
/* "Name:   123 kB": whether the line has this name, and the number. */
bool number_of_line(const char *line, const char *name, uint64_t *out);

#endif
