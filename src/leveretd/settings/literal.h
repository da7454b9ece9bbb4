/* Reads the values of settings. Each function returns NULL, or a static text that says what is
 * wrong. Thread: one at a time. */
#ifndef LEVERETD_LITERAL_H
#define LEVERETD_LITERAL_H

#include <stdbool.h>
#include <stdint.h>

/* Decimal digits. */
const char *literal_count(const char *text, uint64_t *out);
/* A count with a unit: none (bytes), k, kiB, M, MiB, G, GiB, T, TiB (powers of 1024), kB, MB, GB,
 * TB (of 1000). */
const char *literal_size(const char *text, uint64_t *out);
/* The same, where kb, mb and gb are of 1024, as in RabbitMQ's frame_max. */
const char *literal_bytesize(const char *text, uint64_t *out);
/* A decimal fraction, not negative. */
const char *literal_ratio(const char *text, double *out);
const char *literal_bool(const char *text, bool *out);
/* A port from 1 to 65535; "0" and "none" mean off, "any" a free port. */
const char *literal_port(const char *text);
bool literal_is_off(const char *port);

/* Reads an address in one of the forms of RabbitMQ's files (5672, 127.0.0.1:5672, ::1:5672,
 * [::1]:5672, unix:/path:0, local:/path:0). *out is the address in listener_new's form, which the caller frees; NULL when its
 * port is off. */
const char *literal_address(const char *text, char **out);

#endif
