/* TLS: what a listener needs for it, and the transport of a connection that speaks it. By OpenSSL;
 * TLS 1.2 and 1.3 only.
 *
 * Thread: any may make transports; a transport belongs to its connection's thread; one thread at a
 * time makes, reloads and frees a struct tls.
 *
 * Normal course: tls_new reads certificate and key; tls_transport takes over an accepted socket,
 * and the first reads of the transport shake hands. tls_reload reads the files again: connections
 * that exist keep what they have. Sessions are resumed by tickets, which a reload makes void. Where
 * the kernel can encrypt by itself, OpenSSL lets it.
 *
 * What can go wrong: a file cannot be read, or does not fit the others: tls_new and tls_reload say
 * which, and tls_reload leaves everything as it was. A handshake fails: the read fails with EPROTO,
 * and transport_fault says why. A peer sends nothing: the owner of the connection ends it by a
 * timer (tls_is_ready). */
#ifndef LEVERET_NET_TLS_H
#define LEVERET_NET_TLS_H

#include <stdbool.h>
#include <stdint.h>

#include "leveret/base/status.h"
#include "leveret/net/transport.h"

struct tls;

/* The texts must outlive the struct tls; NULL: not given. */
struct tls_options {
    const char *cacertfile, *certfile, *keyfile, *password;
    const char *crlfile; /* revoked certificates of clients; NULL: none is looked at */
    bool verify_peer;    /* true: a client's certificate is asked for, and has to be good */
    bool need_peer;      /* true: with verify_peer, a client without one is refused */
    unsigned depth;      /* certificates between a client's and one of cacertfile, at most */
    bool v1_2, v1_3;     /* which versions are spoken */
    const char *ciphers; /* names of OpenSSL, separated by ':'; NULL: OpenSSL's choice. Those of TLS
                            1.3 ("TLS_…") may stand among them */
    bool server_order;   /* true: of ciphers that both have, the first in our order is taken */
};

/* Errors: MALFORMED, IO, with a sentence in *error that names the file; free it. */
MUST_USE enum status tls_new(const struct tls_options *options, struct tls **out, char **error);
MUST_USE enum status tls_reload(struct tls *tls, char **error);
/* Connections that exist go on. */
void tls_free(struct tls **tls);
/* When the server's certificate ends, in seconds since 1970, and its subject and file. */
struct tls_certificate {
    int64_t not_before_s, not_after_s;
    unsigned rsa_bits; /* 0: its key is not one of RSA */
    char subject[256];
};
void tls_certificate(const struct tls *tls, struct tls_certificate *out);

/* Calls see with the name, in OpenSSL's form, of each cipher that can be used when the
 * configuration names none, the preferred first. */
void tls_each_cipher(void (*see)(void *context, const char *name), void *context);

/* The time, as one thread's transports share it: how long handshakes have taken in this turn of the
 * thread's loop. A handshake that comes when HANDSHAKE_TURN_US are used up waits for the next turn.
 * All zeros at first. */
struct tls_turn {
    uint64_t turn, spent_us;
};
/* Microseconds after which no further step of a handshake begins in the same turn. */
#define TLS_TURN_US 1000u

/* Takes over the socket. turn_now: a number that differs from turn to turn of the thread's loop
 * (its time); both must outlive the transport. Returns false when there is no memory; the socket is
 * then closed. */
MUST_USE bool tls_transport(struct tls *tls, int fd, struct tls_turn *turn,
                            uint64_t (*turn_now)(void *context), void *context,
                            struct transport *out);

bool transport_is_tls(const struct transport *transport);
/* Whether the handshake is over. */
bool tls_is_ready(const struct transport *transport);

/* What a connection's TLS is. Texts are empty where there is nothing to tell. */
struct tls_facts {
    char protocol[16];                        /* "tlsv1.3", as RabbitMQ names it */
    char cipher[64];                          /* "aes_256_gcm" */
    char key_exchange[32];                    /* "any" with TLS 1.3, "ecdhe_rsa" … */
    char hash[16];                            /* "aead", "sha" … */
    char peer_subject[512], peer_issuer[512]; /* RFC 4514 */
    char peer_validity[64];                   /* "2026-01-01T00:00:00Z - 2027-…" */
    bool peer_verified; /* true: the peer has sent a certificate, and it is good */
};
/* To be called when the handshake is over. */
void tls_facts(const struct transport *transport, struct tls_facts *out);

/* From which part of the peer's certificate a user's name comes. */
enum tls_login { TLS_LOGIN_DN, TLS_LOGIN_CN, TLS_LOGIN_SAN };
enum tls_san { TLS_SAN_DNS, TLS_SAN_IP, TLS_SAN_EMAIL, TLS_SAN_URI, TLS_SAN_OTHER };
struct tls_login_rule {
    enum tls_login from;
    enum tls_san san; /* TLS_LOGIN_SAN: the type, and the how many-th of that type, from 0 */
    unsigned san_index;
};
/* Appends no more than room - 1 bytes and a zero. Returns false when the peer has no verified
 * certificate, or no such part in it, or when it is longer or has a zero inside. */
MUST_USE bool tls_peer_name(const struct transport *transport, const struct tls_login_rule *rule,
                            char *out, size_t room);

#endif
