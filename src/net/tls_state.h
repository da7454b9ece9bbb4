/* What the files of TLS share; leveret/net/tls.h is their contract. Thread: as there. */
#ifndef LEVERET_NET_TLS_STATE_H
#define LEVERET_NET_TLS_STATE_H

#include <openssl/ssl.h>

#include "leveret/net/tls.h"

/* A stream with the context that counts now; NULL: no memory. */
SSL *tls_stream_new(struct tls *tls);
/* Seconds since 1970; 0 for NULL. */
int64_t tls_seconds(const ASN1_TIME *time);
/* Writes a name as RFC 4514 does: "CN=a,O=b". */
void tls_name_text(const X509_NAME *name, char *out, size_t room);
/* The stream of a transport, whose handshake is over; NULL: it is plain. */
SSL *tls_stream(const struct transport *transport);

#endif
