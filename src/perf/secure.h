/* TLS of the load tool's connections, by OpenSSL, whose types stay in secure.c.
 * Thread: a stream is its connection's; the struct secure is made once, and then any thread's. */
#ifndef LEVERET_PERF_SECURE_H
#define LEVERET_PERF_SECURE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct secure;
struct secure_stream;

/* Paths of PEM files; NULL: not given. */
struct secure_options {
    const char *cacert;     /* who is trusted; NULL: those whom the system trusts */
    const char *cert, *key; /* what is shown to the broker; key NULL: it is in the file cert */
    bool insecure;          /* true: the broker's certificate may be any */
};

/* Returns NULL with a text in why when a file cannot be used. It lives until the program ends. */
struct secure *secure_new(const struct secure_options *options, char *why, size_t room);

/* Shakes hands over a socket that blocks, and makes it one that does not. Returns NULL with a text
 * in why; the socket is the caller's in both cases. */
struct secure_stream *secure_open(struct secure *secure, int fd, const char *host, char *why,
                                  size_t room);
void secure_close(struct secure_stream **stream);

/* As recv and send with MSG_DONTWAIT: fewer bytes than were given are read only when the socket has
 * no more, and written only when it is full, so that an edge-triggered loop is woken. */
ssize_t secure_read(struct secure_stream *stream, void *at, size_t bytes);
ssize_t secure_write(struct secure_stream *stream, const void *at, size_t bytes);

#endif
