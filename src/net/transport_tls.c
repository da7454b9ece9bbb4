/* Part of leveret/net/tls.h: the transport.
 *
 * Normal course: the first reads shake hands, within what the turn has time for; then bytes are
 * read, as many records as the room is sure to take, and written, in pieces of a record. What can
 * go wrong: the first byte is no TLS: the fault says what it is; OpenSSL refuses something: the
 * fault says what. After a fault nothing is written but OpenSSL's alert, which it has sent by
 * itself. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/err.h>

#include "leveret/base/check.h"
#include "leveret/base/clock.h"
#include "leveret/base/mem.h"
#include "tls_state.h"

/* Bytes that are written as one record; of more, the rest is written by the next call. */
#define RECORD_BYTES 16384u
/* The first byte of a TLS client: a handshake record (RFC 8446, 5.1). */
#define HANDSHAKE_RECORD 0x16

struct stream {
    SSL *ssl;
    struct tls_turn *turn;
    uint64_t (*turn_now)(void *context);
    void *context;
    bool looked; /* true: the first byte is that of TLS */
    bool ready;  /* true: the handshake is over */
    char fault[256];
};

/* ---- Faults. */

static ssize_t fail(struct stream *stream, const char *text)
{
    if (!stream->fault[0])
        snprintf(stream->fault, sizeof stream->fault, "%s", text);
    ERR_clear_error();
    errno = EPROTO;
    return -1;
}

/* Why the peer's certificate is not good, or else what OpenSSL says. */
static ssize_t fail_by_openssl(struct stream *stream)
{
    char text[256];
    unsigned long code = ERR_peek_error();
    const char *reason = ERR_reason_error_string(code);
    long verify = SSL_get_verify_result(stream->ssl);
    if (ERR_GET_REASON(code) == SSL_R_CERTIFICATE_VERIFY_FAILED && verify != X509_V_OK)
        snprintf(text, sizeof text, "TLS: the client's certificate is refused: %s",
                 X509_verify_cert_error_string(verify));
    else if (ERR_GET_REASON(code) == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE)
        snprintf(text, sizeof text, "TLS: the client has sent no certificate");
    else if (ERR_GET_REASON(code) > SSL_AD_REASON_OFFSET)
        snprintf(text, sizeof text, "TLS: the client has refused the handshake: %s",
                 reason ? reason : "an alert");
    else
        snprintf(text, sizeof text, "TLS: %s",
                 reason ? reason : "the client has broken the protocol");
    return fail(stream, text);
}

/* What a call of OpenSSL has come to that did not succeed: as a result of read or writev. */
static ssize_t no_success(struct transport *transport, int result)
{
    struct stream *stream = transport->state;
    int error = errno;
    switch (SSL_get_error(stream->ssl, result)) {
    case SSL_ERROR_WANT_READ:
        errno = EAGAIN;
        return -1;
    case SSL_ERROR_WANT_WRITE:
        transport->wants_write = true;
        errno = EAGAIN;
        return -1;
    case SSL_ERROR_ZERO_RETURN:
        return 0;
    case SSL_ERROR_SYSCALL:
        ERR_clear_error();
        if (error == 0)
            return 0;
        errno = error;
        return -1;
    default:
        return fail_by_openssl(stream);
    }
}

/* ---- The handshake. */

/* Looks at the first bytes without taking them. Returns 1: they are those of TLS; else as read. */
static ssize_t look(struct transport *transport)
{
    struct stream *stream = transport->state;
    unsigned char first[8] = {0};
    ssize_t n = recv(transport->fd, first, sizeof first, MSG_PEEK | MSG_DONTWAIT);
    if (n <= 0)
        return n;
    if (first[0] == HANDSHAKE_RECORD) {
        stream->looked = true;
        return 1;
    }
    char text[128];
    if (memcmp(first, "AMQP", 4) == 0)
        snprintf(text, sizeof text, "the client speaks AMQP without TLS, and this port is for TLS");
    else
        snprintf(text, sizeof text, "the client speaks no TLS: it begins with byte 0x%02x",
                 first[0]);
    return fail(stream, text);
}

static ssize_t handshake(struct transport *transport)
{
    struct stream *stream = transport->state;
    struct tls_turn *turn = stream->turn;
    uint64_t now = stream->turn_now(stream->context);
    if (!stream->looked) {
        ssize_t n = look(transport);
        if (n != 1)
            return n;
    }
    if (turn->turn != now)
        *turn = (struct tls_turn){.turn = now};
    if (turn->spent_us >= TLS_TURN_US) {
        errno = EAGAIN; /* the socket still has its bytes, so the next turn comes here again */
        return -1;
    }
    uint64_t begun_ns = clock_steady_ns();
    errno = 0;
    int result = SSL_do_handshake(stream->ssl);
    turn->spent_us += (clock_steady_ns() - begun_ns) / 1000;
    if (result != 1)
        return no_success(transport, result);
    stream->ready = true;
    return 1;
}

/* ---- Operations. */

static ssize_t tls_read(struct transport *transport, void *at, size_t bytes)
{
    struct stream *stream = transport->state;
    size_t got = 0;
    transport->wants_write = false;
    CHECK(bytes >= TRANSPORT_READ_MIN);
    if (stream->fault[0]) {
        errno = EPROTO;
        return -1;
    }
    if (!stream->ready) {
        ssize_t n = handshake(transport);
        if (n != 1)
            return n;
    }
    while (bytes - got >= TRANSPORT_READ_MIN) {
        errno = 0;
        int n = SSL_read(stream->ssl, (char *)at + got, (int)(bytes - got));
        if (n > 0) {
            got += (size_t)n;
            continue;
        }
        ssize_t result = no_success(transport, n);
        return got ? (ssize_t)got : result; /* what ends it is seen again by the next read */
    }
    return (ssize_t)got;
}

/* Gathers up to RECORD_BYTES. *from: the bytes, which may lie in room. */
static size_t gather(const struct iovec *parts, int count, uint8_t room[RECORD_BYTES],
                     const uint8_t **from)
{
    size_t len = 0;
    if (count == 1 || parts->iov_len >= RECORD_BYTES) {
        *from = parts->iov_base;
        return parts->iov_len < RECORD_BYTES ? parts->iov_len : RECORD_BYTES;
    }
    for (int i = 0; i < count && len < RECORD_BYTES; i++) {
        size_t more = parts[i].iov_len;
        if (more > RECORD_BYTES - len)
            more = RECORD_BYTES - len;
        memcpy(room + len, parts[i].iov_base, more);
        len += more;
    }
    *from = room;
    return len;
}

static ssize_t tls_writev(struct transport *transport, const struct iovec *parts, int count,
                          bool last)
{
    struct stream *stream = transport->state;
    uint8_t room[RECORD_BYTES];
    const uint8_t *from;
    (void)last;
    if (!stream->ready || stream->fault[0]) {
        errno = EPIPE; /* nothing is said to a peer that has not shaken hands */
        return -1;
    }
    size_t len = gather(parts, count, room, &from);
    if (len == 0)
        return 0;
    errno = 0;
    int n = SSL_write(stream->ssl, from, (int)len);
    if (n > 0)
        return n;
    ssize_t result = no_success(transport, n);
    transport->wants_write = false; /* the caller waits for that by itself */
    if (result == 0)
        errno = EPIPE;
    return -1;
}

static void tls_shut_output(struct transport *transport)
{
    struct stream *stream = transport->state;
    if (stream->ready && !stream->fault[0])
        (void)SSL_shutdown(stream->ssl);
    ERR_clear_error();
    (void)shutdown(transport->fd, SHUT_WR);
}

static void tls_close(struct transport *transport)
{
    struct stream *stream = transport->state;
    SSL_free(stream->ssl);
    free(stream);
    transport->state = NULL;
    (void)close(transport->fd);
    transport->fd = -1;
}

static const struct transport_ops ops = {tls_read, tls_writev, tls_shut_output, tls_close};

bool tls_transport(struct tls *tls, int fd, struct tls_turn *turn,
                   uint64_t (*turn_now)(void *context), void *context, struct transport *out)
{
    SSL *ssl = tls_stream_new(tls);
    if (!ssl || SSL_set_fd(ssl, fd) != 1) {
        SSL_free(ssl);
        ERR_clear_error();
        (void)close(fd);
        return false;
    }
    struct stream *stream = mem_need(sizeof *stream);
    stream->ssl = ssl;
    stream->turn = turn;
    stream->turn_now = turn_now;
    stream->context = context;
    SSL_set_accept_state(ssl);
    *out = (struct transport){.ops = &ops, .fd = fd, .state = stream};
    return true;
}

/* ---- What a transport is. */

bool transport_is_tls(const struct transport *transport)
{
    return transport->ops == &ops;
}

const char *transport_fault(const struct transport *transport)
{
    const struct stream *stream = transport->state;
    return transport_is_tls(transport) && stream->fault[0] ? stream->fault : NULL;
}

bool tls_is_ready(const struct transport *transport)
{
    return ((const struct stream *)transport->state)->ready;
}

SSL *tls_stream(const struct transport *transport)
{
    return transport_is_tls(transport) ? ((const struct stream *)transport->state)->ssl : NULL;
}
