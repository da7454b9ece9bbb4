/* TLS of a connection: see secure.h.
 *
 * Normal course: a handshake that waits, then reads and writes that do not. What can go wrong: the
 * broker's certificate is not trusted, or the broker refuses ours: the handshake fails, or with TLS
 * 1.3 the first read; a broken record: EPROTO. */
#include "secure.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

/* The program has one struct secure, and a stream for each connection; both are OpenSSL's own. */
static SSL_CTX *context_of(struct secure *secure)
{
    return (SSL_CTX *)(void *)secure;
}

static SSL *ssl_of(struct secure_stream *stream)
{
    return (SSL *)(void *)stream;
}

static void explain(const char *what, char *why, size_t room)
{
    const char *reason = ERR_reason_error_string(ERR_peek_last_error());
    snprintf(why, room, "%s: %s", what, reason ? reason : "TLS fails");
    ERR_clear_error();
}

struct secure *secure_new(const struct secure_options *o, char *why, size_t room)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    const char *key = o->key ? o->key : o->cert, *wrong = NULL;
    if (!context) {
        explain("OpenSSL", why, room);
        return NULL;
    }
    (void)signal(SIGPIPE, SIG_IGN); /* OpenSSL writes without MSG_NOSIGNAL */
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                  SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_options(context, SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_verify(context, o->insecure ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, NULL);
    if (o->cacert ? SSL_CTX_load_verify_locations(context, o->cacert, NULL) != 1
                  : SSL_CTX_set_default_verify_paths(context) != 1)
        wrong = o->cacert ? o->cacert : "the system's certificates";
    else if (o->cert && SSL_CTX_use_certificate_chain_file(context, o->cert) != 1)
        wrong = o->cert;
    else if (o->cert && SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) != 1)
        wrong = key;
    if (wrong) {
        explain(wrong, why, room);
        SSL_CTX_free(context);
        return NULL;
    }
    return (struct secure *)(void *)context;
}

struct secure_stream *secure_open(struct secure *secure, int fd, const char *host, char *why,
                                  size_t room)
{
    struct in6_addr address;
    SSL *ssl = SSL_new(context_of(secure));
    bool numeric =
        inet_pton(AF_INET, host, &address) == 1 || inet_pton(AF_INET6, host, &address) == 1;
    bool good = ssl && SSL_set_fd(ssl, fd) == 1;
    if (good && host[0] != '/')
        good = numeric ? X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) == 1
                       : SSL_set1_host(ssl, host) == 1 && SSL_set_tlsext_host_name(ssl, host) == 1;
    if (good && SSL_connect(ssl) == 1 && fcntl(fd, F_SETFL, O_NONBLOCK) == 0)
        return (struct secure_stream *)(void *)ssl;
    long verified = ssl ? SSL_get_verify_result(ssl) : X509_V_OK;
    if (verified != X509_V_OK &&
        ERR_GET_REASON(ERR_peek_error()) == SSL_R_CERTIFICATE_VERIFY_FAILED)
        snprintf(why, room, "the broker's certificate is not trusted: %s",
                 X509_verify_cert_error_string(verified));
    else
        explain("the TLS handshake", why, room);
    ERR_clear_error();
    SSL_free(ssl);
    return NULL;
}

void secure_close(struct secure_stream **stream)
{
    SSL_free(*stream ? ssl_of(*stream) : NULL);
    *stream = NULL;
}

/* What a call that did not succeed has come to, as a result of recv or send. */
static ssize_t no_success(SSL *ssl, int result)
{
    int error = errno;
    int kind = SSL_get_error(ssl, result);
    ERR_clear_error();
    if (kind == SSL_ERROR_ZERO_RETURN || (kind == SSL_ERROR_SYSCALL && error == 0))
        return 0;
    errno = kind == SSL_ERROR_WANT_READ || kind == SSL_ERROR_WANT_WRITE ? EAGAIN
            : kind == SSL_ERROR_SYSCALL                                 ? error
                                                                        : EPROTO;
    return -1;
}

static int limited(size_t bytes)
{
    return bytes < INT_MAX ? (int)bytes : INT_MAX;
}

ssize_t secure_read(struct secure_stream *stream, void *at, size_t bytes)
{
    size_t got = 0;
    while (got < bytes) {
        errno = 0;
        int n = SSL_read(ssl_of(stream), (char *)at + got, limited(bytes - got));
        if (n <= 0) {
            ssize_t result = no_success(ssl_of(stream), n);
            return got ? (ssize_t)got : result; /* what ends it is seen again by the next read */
        }
        got += (size_t)n;
    }
    return (ssize_t)got;
}

ssize_t secure_write(struct secure_stream *stream, const void *at, size_t bytes)
{
    size_t put = 0;
    while (put < bytes) {
        errno = 0;
        int n = SSL_write(ssl_of(stream), (const char *)at + put, limited(bytes - put));
        if (n <= 0) {
            if (no_success(ssl_of(stream), n) == 0)
                errno = EPIPE;
            return put ? (ssize_t)put : -1;
        }
        put += (size_t)n; /* one record */
    }
    return (ssize_t)put;
}
