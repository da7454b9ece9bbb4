/* Part of leveret/net/tls.h: what a connection's TLS is, and who its peer is. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "tls_state.h"

/* ---- Names of ciphers, as Erlang and so RabbitMQ writes them. */

struct nid_name {
    int nid;
    const char *name;
};

static const char *name_of(const struct nid_name *names, int nid)
{
    for (; names->name; names++)
        if (names->nid == nid)
            return names->name;
    return "";
}

static const char *exchange_name(const SSL_CIPHER *cipher)
{
    static const struct nid_name names[] = {{NID_kx_any, "any"}, {NID_kx_ecdhe, "ecdhe"},
                                            {NID_kx_dhe, "dhe"}, {NID_kx_rsa, "rsa"},
                                            {NID_kx_psk, "psk"}, {0, NULL}};
    return name_of(names, SSL_CIPHER_get_kx_nid(cipher));
}

static const char *auth_name(const SSL_CIPHER *cipher)
{
    static const struct nid_name names[] = {
        {NID_auth_rsa, "rsa"}, {NID_auth_ecdsa, "ecdsa"}, {NID_auth_psk, "psk"}, {0, NULL}};
    return name_of(names, SSL_CIPHER_get_auth_nid(cipher));
}

static const char *cipher_name(const SSL_CIPHER *cipher)
{
    static const struct nid_name names[] = {{NID_aes_128_gcm, "aes_128_gcm"},
                                            {NID_aes_256_gcm, "aes_256_gcm"},
                                            {NID_aes_128_ccm, "aes_128_ccm"},
                                            {NID_aes_256_ccm, "aes_256_ccm"},
                                            {NID_aes_128_cbc, "aes_128_cbc"},
                                            {NID_aes_256_cbc, "aes_256_cbc"},
                                            {NID_chacha20_poly1305, "chacha20_poly1305"},
                                            {0, NULL}};
    int nid = SSL_CIPHER_get_cipher_nid(cipher);
    const char *name = name_of(names, nid);
    return *name ? name : OBJ_nid2sn(nid);
}

static const char *hash_name(const SSL_CIPHER *cipher)
{
    static const struct nid_name names[] = {
        {NID_sha1, "sha"}, {NID_sha256, "sha256"}, {NID_sha384, "sha384"}, {0, NULL}};
    return SSL_CIPHER_is_aead(cipher) ? "aead" : name_of(names, SSL_CIPHER_get_digest_nid(cipher));
}

static void fill_cipher(SSL *ssl, struct tls_facts *out)
{
    const SSL_CIPHER *cipher = SSL_get_current_cipher(ssl);
    if (!cipher)
        return;
    const char *exchange = exchange_name(cipher), *auth = auth_name(cipher);
    bool both = strcmp(exchange, "ecdhe") == 0 || strcmp(exchange, "dhe") == 0;
    snprintf(out->key_exchange, sizeof out->key_exchange, "%s%s%s", exchange, both ? "_" : "",
             both ? auth : "");
    snprintf(out->cipher, sizeof out->cipher, "%s", cipher_name(cipher));
    snprintf(out->hash, sizeof out->hash, "%s", hash_name(cipher));
}

/* ---- The peer's certificate. */

static void time_text(const ASN1_TIME *at, char out[32])
{
    time_t seconds = (time_t)tls_seconds(at);
    struct tm parts;
    out[0] = '\0';
    if (gmtime_r(&seconds, &parts))
        strftime(out, 32, "%Y-%m-%dT%H:%M:%SZ", &parts);
}

void tls_facts(const struct transport *transport, struct tls_facts *out)
{
    SSL *ssl = tls_stream(transport);
    *out = (struct tls_facts){0};
    if (!ssl)
        return;
    snprintf(out->protocol, sizeof out->protocol, "%s", SSL_get_version(ssl));
    for (char *at = out->protocol; *at; at++)
        *at = (char)tolower((unsigned char)*at);
    fill_cipher(ssl, out);
    X509 *peer = SSL_get0_peer_certificate(ssl);
    if (!peer)
        return;
    char from[32], until[32];
    out->peer_verified = SSL_get_verify_result(ssl) == X509_V_OK;
    tls_name_text(X509_get_subject_name(peer), out->peer_subject, sizeof out->peer_subject);
    tls_name_text(X509_get_issuer_name(peer), out->peer_issuer, sizeof out->peer_issuer);
    time_text(X509_get0_notBefore(peer), from);
    time_text(X509_get0_notAfter(peer), until);
    snprintf(out->peer_validity, sizeof out->peer_validity, "%s - %s", from, until);
}

/* ---- A user's name. */

/* A text without a zero inside, that fits. */
static bool take(const unsigned char *at, int len, char *out, size_t room)
{
    if (len <= 0 || (size_t)len >= room || memchr(at, '\0', (size_t)len))
        return false;
    memcpy(out, at, (size_t)len);
    out[len] = '\0';
    return true;
}

static bool take_asn1(const ASN1_STRING *text, char *out, size_t room)
{
    unsigned char *utf8;
    int len = text ? ASN1_STRING_to_UTF8(&utf8, text) : -1;
    if (len < 0)
        return false;
    bool taken = take(utf8, len, out, room);
    OPENSSL_free(utf8);
    return taken;
}

/* The last common name: the most specific one, as RabbitMQ takes it. */
static bool common_name(const X509 *peer, char *out, size_t room)
{
    const X509_NAME *subject = X509_get_subject_name(peer);
    int at = -1, found = -1;
    while ((at = X509_NAME_get_index_by_NID(subject, NID_commonName, at)) >= 0)
        found = at;
    return found >= 0 &&
           take_asn1(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, found)), out, room);
}

static bool address_text_of(const ASN1_OCTET_STRING *ip, char *out, size_t room)
{
    int len = ASN1_STRING_length(ip), family = len == 4 ? AF_INET : AF_INET6;
    return (len == 4 || len == 16) && room >= INET6_ADDRSTRLEN &&
           inet_ntop(family, ASN1_STRING_get0_data(ip), out, (socklen_t)room);
}

static bool general_name(const GENERAL_NAME *name, char *out, size_t room)
{
    switch (name->type) {
    case GEN_DNS:
        return take_asn1(name->d.dNSName, out, room);
    case GEN_EMAIL:
        return take_asn1(name->d.rfc822Name, out, room);
    case GEN_URI:
        return take_asn1(name->d.uniformResourceIdentifier, out, room);
    case GEN_IPADD:
        return address_text_of(name->d.iPAddress, out, room);
    case GEN_OTHERNAME: {
        const ASN1_TYPE *value = name->d.otherName->value;
        bool text = value->type == V_ASN1_UTF8STRING || value->type == V_ASN1_IA5STRING ||
                    value->type == V_ASN1_PRINTABLESTRING;
        return text && take_asn1(value->value.asn1_string, out, room);
    }
    default:
        return false;
    }
}

static bool alternative_name(const X509 *peer, const struct tls_login_rule *rule, char *out,
                             size_t room)
{
    static const int types[] = {[TLS_SAN_DNS] = GEN_DNS,
                                [TLS_SAN_IP] = GEN_IPADD,
                                [TLS_SAN_EMAIL] = GEN_EMAIL,
                                [TLS_SAN_URI] = GEN_URI,
                                [TLS_SAN_OTHER] = GEN_OTHERNAME};
    GENERAL_NAMES *names = X509_get_ext_d2i(peer, NID_subject_alt_name, NULL, NULL);
    unsigned index = 0;
    bool found = false;
    for (int i = 0; !found && i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
        if (name->type != types[rule->san] || index++ != rule->san_index)
            continue;
        if (!general_name(name, out, room))
            break;
        found = true;
    }
    GENERAL_NAMES_free(names);
    return found;
}

bool tls_peer_name(const struct transport *transport, const struct tls_login_rule *rule, char *out,
                   size_t room)
{
    SSL *ssl = tls_stream(transport);
    X509 *peer = ssl ? SSL_get0_peer_certificate(ssl) : NULL;
    bool found = false;
    if (!peer || SSL_get_verify_result(ssl) != X509_V_OK)
        return false;
    if (rule->from == TLS_LOGIN_CN) {
        found = common_name(peer, out, room);
    } else if (rule->from == TLS_LOGIN_SAN) {
        found = alternative_name(peer, rule, out, room);
    } else {
        char name[1024];
        tls_name_text(X509_get_subject_name(peer), name, sizeof name);
        found = take((const unsigned char *)name, (int)strlen(name), out, room);
    }
    ERR_clear_error();
    return found;
}
