/* Contexts of TLS: certificate, key, rules. See leveret/net/tls.h. */
#include "leveret/net/tls.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "leveret/base/bytes.h"
#include "leveret/base/mem.h"
#include "tls_state.h"

struct tls {
    struct tls_options options;
    pthread_mutex_t lock; /* of context */
    SSL_CTX *context;
};

/* ---- Errors. */

/* Says what went wrong, with OpenSSL's reason behind it, and forgets OpenSSL's errors. */
static enum status explain(enum status status, char **error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static enum status explain(enum status status, char **error, const char *format, ...)
{
    char sentence[512], text[800];
    const char *reason = ERR_reason_error_string(ERR_peek_last_error());
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(sentence, sizeof sentence, format, arguments);
    va_end(arguments);
    snprintf(text, sizeof text, "%s%s%s", sentence, reason ? ": " : "", reason ? reason : "");
    ERR_clear_error();
    free(*error);
    *error = mem_need_text(text, strlen(text));
    return status;
}

/* ---- The parts of a context. */

static int give_password(char *out, int room, int writing, void *context)
{
    struct bytes password = bytes_of_text(context ? context : "");
    (void)writing;
    if (room < 0 || password.len > (size_t)room)
        return -1;
    memcpy(out, password.at, password.len);
    return (int)password.len;
}

static enum status load_identity(SSL_CTX *context, const struct tls_options *o, char **error)
{
    if (!o->certfile || !o->keyfile)
        return explain(STATUS_MALFORMED, error, "certfile and keyfile are both needed");
    SSL_CTX_set_default_passwd_cb(context, give_password);
    SSL_CTX_set_default_passwd_cb_userdata(context, (void *)(uintptr_t)o->password);
    if (SSL_CTX_use_certificate_chain_file(context, o->certfile) != 1)
        return explain(STATUS_IO, error, "the certificate %s cannot be used", o->certfile);
    if (SSL_CTX_use_PrivateKey_file(context, o->keyfile, SSL_FILETYPE_PEM) == 1)
        return STATUS_OK;
    int reason = ERR_GET_REASON(ERR_peek_last_error());
    if (reason == X509_R_KEY_VALUES_MISMATCH || reason == X509_R_KEY_TYPE_MISMATCH)
        return explain(STATUS_MALFORMED, error, "the key %s does not belong to the certificate %s",
                       o->keyfile, o->certfile);
    return explain(STATUS_IO, error, "the key %s cannot be used", o->keyfile);
}

static enum status load_revoked(SSL_CTX *context, const struct tls_options *o, char **error)
{
    X509_STORE *store = SSL_CTX_get_cert_store(context);
    X509_LOOKUP *lookup = X509_STORE_add_lookup(store, X509_LOOKUP_file());
    if (!o->crlfile)
        return STATUS_OK;
    if (!lookup || X509_load_crl_file(lookup, o->crlfile, X509_FILETYPE_PEM) < 1)
        return explain(STATUS_IO, error, "the list of revoked certificates %s cannot be used",
                       o->crlfile);
    X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK);
    return STATUS_OK;
}

static enum status set_peers(SSL_CTX *context, const struct tls_options *o, char **error)
{
    if (o->cacertfile) {
        if (SSL_CTX_load_verify_locations(context, o->cacertfile, NULL) != 1)
            return explain(STATUS_IO, error, "the certificates %s cannot be used", o->cacertfile);
        STACK_OF(X509_NAME) *names = SSL_load_client_CA_file(o->cacertfile);
        if (names)
            SSL_CTX_set_client_CA_list(context, names);
    }
    if (!o->verify_peer)
        return STATUS_OK;
    if (!o->cacertfile)
        return explain(STATUS_MALFORMED, error, "verify_peer needs a cacertfile");
    SSL_CTX_set_verify(
        context, SSL_VERIFY_PEER | (o->need_peer ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0), NULL);
    SSL_CTX_set_verify_depth(context, (int)o->depth);
    return load_revoked(context, o, error);
}

/* Ciphers of TLS 1.3 and of TLS 1.2 are set apart. */
static enum status set_ciphers(SSL_CTX *context, const struct tls_options *o, char **error)
{
    char old[2048] = "", new[512] = "";
    const char *at = o->ciphers;
    while (at && *at) {
        size_t len = strcspn(at, ":");
        bool is_new = strncmp(at, "TLS_", 4) == 0;
        char *out = is_new ? new : old;
        size_t room = is_new ? sizeof new : sizeof old, used = strlen(out);
        int put = snprintf(out + used, room - used, "%s%.*s", used ? ":" : "", (int)len, at);
        if (put < 0 || (size_t)put >= room - used)
            return explain(STATUS_MALFORMED, error, "the list of ciphers is too long");
        at += len + (at[len] == ':');
    }
    if ((old[0] && SSL_CTX_set_cipher_list(context, old) != 1) ||
        (new[0] && SSL_CTX_set_ciphersuites(context, new) != 1))
        return explain(STATUS_MALFORMED, error, "OpenSSL does not know these ciphers: %.300s",
                       o->ciphers);
    return STATUS_OK;
}

static void set_rules(SSL_CTX *context, const struct tls_options *o)
{
    static const unsigned char session_context[] = "leveret";
    SSL_CTX_set_min_proto_version(context, o->v1_2 ? TLS1_2_VERSION : TLS1_3_VERSION);
    SSL_CTX_set_max_proto_version(context, o->v1_3 ? TLS1_3_VERSION : TLS1_2_VERSION);
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                     SSL_OP_ENABLE_KTLS | SSL_OP_IGNORE_UNEXPECTED_EOF);
    if (o->server_order)
        SSL_CTX_set_options(context, SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                  SSL_MODE_RELEASE_BUFFERS);
    /* Tickets hold the session, so that the server keeps none. */
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_session_id_context(context, session_context, sizeof session_context - 1);
}

static enum status make(const struct tls_options *o, SSL_CTX **out, char **error)
{
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    *out = NULL;
    if (!context)
        return explain(STATUS_NO_MEMORY, error, "TLS cannot be used");
    set_rules(context, o);
    enum status status = o->v1_2 || o->v1_3 ? STATUS_OK
                                            : explain(STATUS_MALFORMED, error,
                                                      "versions name neither tlsv1.2 nor tlsv1.3");
    if (status == STATUS_OK)
        status = load_identity(context, o, error);
    if (status == STATUS_OK)
        status = set_peers(context, o, error);
    if (status == STATUS_OK)
        status = set_ciphers(context, o, error);
    if (status == STATUS_OK)
        *out = context;
    else
        SSL_CTX_free(context);
    return status;
}

/* ---- The contract. */

enum status tls_new(const struct tls_options *options, struct tls **out, char **error)
{
    struct tls *tls = mem_need(sizeof *tls);
    *error = NULL;
    tls->options = *options;
    pthread_mutex_init(&tls->lock, NULL);
    enum status status = make(options, &tls->context, error);
    if (status != STATUS_OK) {
        tls_free(&tls);
        return status;
    }
    *out = tls;
    return STATUS_OK;
}

enum status tls_reload(struct tls *tls, char **error)
{
    SSL_CTX *context, *old;
    *error = NULL;
    enum status status = make(&tls->options, &context, error);
    if (status != STATUS_OK)
        return status;
    pthread_mutex_lock(&tls->lock);
    old = tls->context;
    tls->context = context;
    pthread_mutex_unlock(&tls->lock);
    SSL_CTX_free(old);
    return STATUS_OK;
}

void tls_free(struct tls **tls)
{
    struct tls *t = *tls;
    *tls = NULL;
    if (!t)
        return;
    SSL_CTX_free(t->context);
    pthread_mutex_destroy(&t->lock);
    free(t);
}

void tls_each_cipher(void (*see)(void *context, const char *name), void *context)
{
    const struct tls_options any = {.v1_2 = true, .v1_3 = true};
    SSL_CTX *ssl_context = SSL_CTX_new(TLS_server_method());
    if (ssl_context)
        set_rules(ssl_context, &any);
    SSL *ssl = ssl_context ? SSL_new(ssl_context) : NULL;
    STACK_OF(SSL_CIPHER) *ciphers = ssl ? SSL_get1_supported_ciphers(ssl) : NULL;
    for (int i = 0; i < sk_SSL_CIPHER_num(ciphers); i++)
        see(context, SSL_CIPHER_get_name(sk_SSL_CIPHER_value(ciphers, i)));
    sk_SSL_CIPHER_free(ciphers);
    SSL_free(ssl);
    SSL_CTX_free(ssl_context);
    ERR_clear_error();
}

SSL *tls_stream_new(struct tls *tls)
{
    pthread_mutex_lock(&tls->lock);
    SSL *ssl = SSL_new(tls->context); /* it has a reference of its own to the context */
    pthread_mutex_unlock(&tls->lock);
    return ssl;
}

int64_t tls_seconds(const ASN1_TIME *time)
{
    int days = 0, seconds = 0;
    ASN1_TIME *epoch = ASN1_TIME_set(NULL, 0);
    bool ok = epoch && time && ASN1_TIME_diff(&days, &seconds, epoch, time) == 1;
    ASN1_TIME_free(epoch);
    return ok ? (int64_t)days * 86400 + seconds : 0;
}

void tls_name_text(const X509_NAME *name, char *out, size_t room)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *text;
    out[0] = '\0';
    if (!bio)
        return;
    unsigned long flags = (XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB);
    if (name && X509_NAME_print_ex(bio, name, 0, flags) >= 0) {
        long len = BIO_get_mem_data(bio, &text);
        snprintf(out, room, "%.*s", len > 0 ? (int)len : 0, text);
    }
    BIO_free(bio);
}

void tls_certificate(const struct tls *tls, struct tls_certificate *out)
{
    pthread_mutex_t *lock = (pthread_mutex_t *)(uintptr_t)&tls->lock;
    *out = (struct tls_certificate){0};
    pthread_mutex_lock(lock);
    X509 *certificate = SSL_CTX_get0_certificate(tls->context);
    if (certificate) {
        out->not_before_s = tls_seconds(X509_get0_notBefore(certificate));
        out->not_after_s = tls_seconds(X509_get0_notAfter(certificate));
        EVP_PKEY *key = X509_get0_pubkey(certificate);
        if (key && EVP_PKEY_base_id(key) == EVP_PKEY_RSA)
            out->rsa_bits = (unsigned)EVP_PKEY_bits(key);
        tls_name_text(X509_get_subject_name(certificate), out->subject, sizeof out->subject);
    }
    pthread_mutex_unlock(lock);
}
