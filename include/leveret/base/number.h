/* Decimal numbers in text: digits only, no sign, no blank before them, nothing that overflows.
 * Thread: any. */
#ifndef LEVERET_BASE_NUMBER_H
#define LEVERET_BASE_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Reads the digits at the start of text and returns where they end. Returns NULL, leaving *out as
 * it was, when there are none or the number does not fit. */
const char *number_scan(const char *text, uint64_t *out);
/* Whether all of text is one number of at most max. */
bool number_read(const char *text, uint64_t max, uint64_t *out);

/* Reads a number of bytes with or without a unit: "1048576", "50MB", "1 GiB"; k, M, G and T are
 * powers of 1,024. Returns NULL, or what is wrong with the text ("must be …"). */
const char *number_size(const char *text, uint64_t *out);

/* Reads the first numbers of a kernel file (/proc, cgroups), which blanks separate. Returns how
 * many it read, at most count; 0 when the file cannot be read. */
size_t number_file(const char *path, uint64_t *out, size_t count);
/* Whether a line of the form "Name:   123 kB" has this name; *out is then its number. */
bool number_of_line(const char *line, const char *name, uint64_t *out);

#endif
