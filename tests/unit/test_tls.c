/* TLS: whose name a certificate gives, what a connection tells of itself, and what a context
 * refuses. The certificates are made here, by OpenSSL. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "leveret/net/tls.h"

#define PATH_ROOM 128
#define STEPS_MAX 10000 /* turns of both ends; a handshake needs fewer than ten */

static char folder[PATH_ROOM];
static EVP_PKEY *key, *other_key;

static const char *path_of(const char *name)
{
    static char paths[8][2 * PATH_ROOM];
    static unsigned next;
    char *path = paths[next++ % 8];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

static void write_text(const char *name, const char *text)
{
    FILE *file = fopen(path_of(name), "w");
    ck_assert_ptr_nonnull(file);
    ck_assert(fputs(text, file) >= 0);
    ck_assert_int_eq(fclose(file), 0);
}

static void write_key(const char *name, EVP_PKEY *pair, const char *password)
{
    FILE *file = fopen(path_of(name), "w");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(PEM_write_PKCS8PrivateKey(file, pair, password ? EVP_aes_128_cbc() : NULL,
                                               password, password ? (int)strlen(password) : 0, NULL,
                                               NULL),
                     1);
    ck_assert_int_eq(fclose(file), 0);
}

/* A certificate that signs itself. names: pairs of a field and its text, which NULL ends. san:
 * subjectAltName in OpenSSL's words, or NULL. */
static X509 *certificate(EVP_PKEY *pair, const char *const *names, const char *san)
{
    X509 *made = X509_new();
    X509_set_version(made, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(made), 1);
    ck_assert_ptr_nonnull(ASN1_TIME_set(X509_getm_notBefore(made), 1577836800)); /* 2020-01-01 */
    ck_assert_ptr_nonnull(ASN1_TIME_set(X509_getm_notAfter(made), 4102444800));  /* 2100-01-01 */
    X509_set_pubkey(made, pair);
    X509_NAME *subject = X509_get_subject_name(made);
    for (; names && names[0]; names += 2)
        ck_assert_int_eq(X509_NAME_add_entry_by_txt(subject, names[0], MBSTRING_UTF8,
                                                    (const unsigned char *)names[1], -1, -1, 0),
                         1);
    X509_set_issuer_name(made, subject);
    if (san) {
        X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, san);
        ck_assert_ptr_nonnull(extension);
        ck_assert_int_eq(X509_add_ext(made, extension, -1), 1);
        X509_EXTENSION_free(extension);
    }
    ck_assert(X509_sign(made, pair, EVP_sha256()) > 0);
    return made;
}

static void write_certificate(const char *name, X509 *made)
{
    FILE *file = fopen(path_of(name), "w");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(PEM_write_X509(file, made), 1);
    ck_assert_int_eq(fclose(file), 0);
}

static void setup(void)
{
    static const char *const names[] = {"O", "Leveret", "CN", "server", NULL};
    snprintf(folder, sizeof folder, "%s/leveret-tls-XXXXXX",
             getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    key = EVP_EC_gen("P-256");
    other_key = EVP_EC_gen("P-256");
    ck_assert(key && other_key);
    X509 *server = certificate(key, names, "DNS:localhost");
    write_certificate("server.pem", server);
    X509_free(server);
    write_key("server.key", key, NULL);
    write_key("other.key", other_key, NULL);
    write_key("secret.key", key, "pass word");
}

static void teardown(void)
{
    static const char *const files[] = {"server.pem", "server.key", "other.key",
                                        "secret.key", "client.pem", "broken.pem"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        unlink(path_of(files[i]));
    ck_assert_int_eq(rmdir(folder), 0);
    EVP_PKEY_free(key);
    EVP_PKEY_free(other_key);
}

static struct tls_options good_options(void)
{
    return (struct tls_options){.certfile = path_of("server.pem"),
                                .keyfile = path_of("server.key"),
                                .depth = 1,
                                .v1_2 = true,
                                .v1_3 = true};
}

/* ---- Two ends in one process. */

struct ends {
    struct tls *tls;
    struct transport server;
    struct tls_turn turn;
    uint64_t now;
    SSL_CTX *context;
    SSL *client;
    int fd;
    bool client_ready;
};

static uint64_t next_turn(void *context)
{
    return ++*(uint64_t *)context;
}

static void ends_new(struct ends *e, const struct tls_options *options, X509 *shown,
                     EVP_PKEY *shown_key)
{
    int pair[2];
    char *error = NULL;
    *e = (struct ends){0};
    ck_assert_msg(tls_new(options, &e->tls, &error) == STATUS_OK, "%s", error);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
    ck_assert(tls_transport(e->tls, pair[0], &e->turn, next_turn, &e->now, &e->server));
    ck_assert(transport_is_tls(&e->server) && !tls_is_ready(&e->server));
    e->fd = pair[1];
    e->context = SSL_CTX_new(TLS_client_method());
    if (shown) {
        ck_assert_int_eq(SSL_CTX_use_certificate(e->context, shown), 1);
        ck_assert_int_eq(SSL_CTX_use_PrivateKey(e->context, shown_key), 1);
    }
    e->client = SSL_new(e->context);
    SSL_set_fd(e->client, e->fd);
    SSL_set_connect_state(e->client);
}

static void ends_free(struct ends *e)
{
    SSL_free(e->client);
    SSL_CTX_free(e->context);
    close(e->fd);
    e->server.ops->close(&e->server);
    tls_free(&e->tls);
    ERR_clear_error();
}

/* Both ends in turn until both have shaken hands. Returns false when the server has a fault. */
static bool shake(struct ends *e)
{
    static uint8_t room[2 * TRANSPORT_READ_MIN];
    for (unsigned step = 0; step < STEPS_MAX; step++) {
        int done = SSL_do_handshake(e->client);
        e->client_ready = e->client_ready || done == 1;
        ssize_t n = e->server.ops->read(&e->server, room, sizeof room);
        if (n < 0 && errno == EPROTO)
            return false;
        ck_assert(n < 0 && errno == EAGAIN);
        if (e->client_ready && tls_is_ready(&e->server))
            return true;
    }
    ck_abort_msg("no end of the handshake");
}

/* ---- Names. */

static const char *const person[] = {"C",  "DE",    "O",  "Shop, Inc", "OU", "Tills",
                                     "CN", "first", "CN", "last",      NULL};
static const char alternatives[] =
    "DNS:one.example,email:me@example.org,DNS:two.example,IP:10.0.0.7,"
    "IP:2001:db8::1,URI:urn:app:7,otherName:1.3.6.1.4.1.311.20.2.3;UTF8:me@corp";

/* The name that a rule takes of a certificate; NULL: none. */
static const char *name_by(const struct tls_login_rule *rule, const char *const *names,
                           const char *san, size_t room)
{
    static char name[256];
    struct tls_options options = good_options();
    struct ends e;
    X509 *client = certificate(other_key, names, san);
    write_certificate("client.pem", client);
    options.cacertfile = path_of("client.pem");
    options.verify_peer = options.need_peer = true;
    ends_new(&e, &options, client, other_key);
    ck_assert_msg(shake(&e), "%s", transport_fault(&e.server));
    bool found = tls_peer_name(&e.server, rule, name, room);
    ends_free(&e);
    X509_free(client);
    return found ? name : NULL;
}

START_TEST(names_of_peers)
{
    static const struct {
        struct tls_login_rule rule;
        const char *name;
    } cases[] = {
        {{.from = TLS_LOGIN_DN}, "CN=last,CN=first,OU=Tills,O=Shop\\, Inc,C=DE"},
        {{.from = TLS_LOGIN_CN}, "last"},
        {{TLS_LOGIN_SAN, TLS_SAN_DNS, 0}, "one.example"},
        {{TLS_LOGIN_SAN, TLS_SAN_DNS, 1}, "two.example"},
        {{TLS_LOGIN_SAN, TLS_SAN_DNS, 2}, NULL},
        {{TLS_LOGIN_SAN, TLS_SAN_EMAIL, 0}, "me@example.org"},
        {{TLS_LOGIN_SAN, TLS_SAN_IP, 0}, "10.0.0.7"},
        {{TLS_LOGIN_SAN, TLS_SAN_IP, 1}, "2001:db8::1"},
        {{TLS_LOGIN_SAN, TLS_SAN_URI, 0}, "urn:app:7"},
        {{TLS_LOGIN_SAN, TLS_SAN_OTHER, 0}, "me@corp"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *name = name_by(&cases[i].rule, person, alternatives, 256);
        ck_assert_msg(!name == !cases[i].name, "%zu: %s", i, name ? name : "none");
        if (name)
            ck_assert_str_eq(name, cases[i].name);
    }
}
END_TEST

START_TEST(no_name)
{
    static const struct tls_login_rule cn = {.from = TLS_LOGIN_CN}, dn = {.from = TLS_LOGIN_DN},
                                       dns = {.from = TLS_LOGIN_SAN, .san = TLS_SAN_DNS};
    static const char *const bare[] = {"O", "Shop", NULL}, *const exact[] = {"CN", "four", NULL};
    ck_assert_ptr_null(name_by(&cn, bare, NULL, 256));
    ck_assert_ptr_null(name_by(&dns, bare, NULL, 256));
    ck_assert_ptr_null(name_by(&dns, bare, "IP:10.0.0.7", 256));
    ck_assert_ptr_null(name_by(&cn, exact, NULL, 4)); /* no room for the zero */
    ck_assert_str_eq(name_by(&cn, exact, NULL, 5), "four");
    ck_assert_ptr_null(name_by(&dn, exact, NULL, 7));
    ck_assert_str_eq(name_by(&dn, exact, NULL, 8), "CN=four");
}
END_TEST

/* "admin", a zero and more must not become "admin". */
START_TEST(a_zero_inside_of_a_name)
{
    static const struct tls_login_rule cn = {.from = TLS_LOGIN_CN};
    struct tls_options options = good_options();
    struct ends e;
    char name[256];
    X509 *client = certificate(other_key, NULL, NULL);
    ck_assert_int_eq(X509_NAME_add_entry_by_NID(X509_get_subject_name(client), NID_commonName,
                                                MBSTRING_UTF8, (const unsigned char *)"admin\0evil",
                                                10, -1, 0),
                     1);
    X509_set_issuer_name(client, X509_get_subject_name(client));
    ck_assert(X509_sign(client, other_key, EVP_sha256()) > 0);
    write_certificate("client.pem", client);
    options.cacertfile = path_of("client.pem");
    options.verify_peer = true;
    ends_new(&e, &options, client, other_key);
    ck_assert_msg(shake(&e), "%s", transport_fault(&e.server));
    ck_assert(!tls_peer_name(&e.server, &cn, name, sizeof name));
    ends_free(&e);
    X509_free(client);
}
END_TEST

/* Without a certificate there is no name, and the facts have none. */
START_TEST(a_peer_without_certificate)
{
    static const struct tls_login_rule cn = {.from = TLS_LOGIN_CN};
    struct tls_options options = good_options();
    struct tls_facts facts;
    struct ends e;
    char name[256];
    options.v1_2 = false;
    ends_new(&e, &options, NULL, NULL);
    ck_assert(shake(&e));
    ck_assert(!tls_peer_name(&e.server, &cn, name, sizeof name));
    tls_facts(&e.server, &facts);
    ck_assert_str_eq(facts.protocol, "tlsv1.3");
    ck_assert_str_eq(facts.key_exchange, "any");
    ck_assert_str_eq(facts.hash, "aead");
    ck_assert_str_eq(facts.peer_subject, "");
    ck_assert_str_eq(facts.peer_issuer, "");
    ck_assert_str_eq(facts.peer_validity, "");
    ck_assert(!facts.peer_verified);
    ends_free(&e);
}
END_TEST

START_TEST(facts_of_1_2)
{
    struct tls_options options = good_options();
    struct tls_facts facts;
    struct ends e;
    X509 *client = certificate(other_key, person, NULL);
    write_certificate("client.pem", client);
    options.cacertfile = path_of("client.pem");
    options.verify_peer = options.need_peer = true;
    options.v1_3 = false;
    options.ciphers = "ECDHE-ECDSA-AES256-GCM-SHA384:TLS_AES_128_GCM_SHA256";
    ends_new(&e, &options, client, other_key);
    ck_assert_msg(shake(&e), "%s", transport_fault(&e.server));
    tls_facts(&e.server, &facts);
    ck_assert_str_eq(facts.protocol, "tlsv1.2");
    ck_assert_str_eq(facts.cipher, "aes_256_gcm");
    ck_assert_str_eq(facts.key_exchange, "ecdhe_ecdsa");
    ck_assert_str_eq(facts.hash, "aead");
    ck_assert_str_eq(facts.peer_subject, "CN=last,CN=first,OU=Tills,O=Shop\\, Inc,C=DE");
    ck_assert_str_eq(facts.peer_issuer, facts.peer_subject);
    ck_assert_str_eq(facts.peer_validity, "2020-01-01T00:00:00Z - 2100-01-01T00:00:00Z");
    ck_assert(facts.peer_verified);
    ends_free(&e);
    X509_free(client);
}
END_TEST

START_TEST(a_peer_that_is_not_trusted)
{
    struct tls_options options = good_options();
    struct ends e;
    X509 *client = certificate(other_key, person, NULL);
    options.cacertfile = path_of("server.pem");
    options.verify_peer = options.need_peer = true;
    ends_new(&e, &options, client, other_key);
    ck_assert(!shake(&e));
    ck_assert_ptr_nonnull(
        strstr(transport_fault(&e.server), "the client's certificate is refused"));
    ends_free(&e);
    ends_new(&e, &options, NULL, NULL);
    ck_assert(!shake(&e));
    ck_assert_str_eq(transport_fault(&e.server), "TLS: the client has sent no certificate");
    ends_free(&e);
    X509_free(client);
}
END_TEST

/* A step of a handshake waits for the next turn when this one has no time left. */
START_TEST(handshakes_have_a_budget)
{
    static uint8_t room[2 * TRANSPORT_READ_MIN];
    struct tls_options options = good_options();
    struct ends e;
    ends_new(&e, &options, NULL, NULL);
    SSL_do_handshake(e.client); /* sends its hello */
    e.turn = (struct tls_turn){.turn = 1, .spent_us = TLS_TURN_US};
    e.now = 0; /* next_turn makes 1 of it, the turn that is used up */
    ck_assert_int_eq(e.server.ops->read(&e.server, room, sizeof room), -1);
    ck_assert_int_eq(errno, EAGAIN);
    ck_assert_int_eq(SSL_do_handshake(e.client), -1); /* no answer yet */
    ck_assert_int_eq(SSL_get_error(e.client, -1), SSL_ERROR_WANT_READ);
    ck_assert(shake(&e));
    ends_free(&e);
}
END_TEST

/* ---- Contexts. */

static void expect_error(const struct tls_options *options, enum status status, const char *said)
{
    struct tls *tls = NULL;
    char *error = NULL;
    ck_assert_int_eq(tls_new(options, &tls, &error), status);
    ck_assert_ptr_nonnull(error);
    ck_assert_msg(strstr(error, said) != NULL, "'%s' does not say '%s'", error, said);
    ck_assert_ptr_null(tls);
    free(error);
}

START_TEST(errors_of_contexts)
{
    struct tls_options o = good_options();
    o.certfile = NULL;
    expect_error(&o, STATUS_MALFORMED, "certfile and keyfile are both needed");
    o = good_options();
    o.certfile = path_of("none.pem");
    expect_error(&o, STATUS_IO, "none.pem cannot be used");
    write_text("broken.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    o.certfile = path_of("broken.pem");
    expect_error(&o, STATUS_IO, "broken.pem cannot be used");
    o = good_options();
    o.keyfile = path_of("server.pem");
    expect_error(&o, STATUS_IO, "the key ");
    o.keyfile = path_of("other.key");
    expect_error(&o, STATUS_MALFORMED, "does not belong to the certificate");
    o.keyfile = path_of("secret.key");
    o.password = "wrong";
    expect_error(&o, STATUS_IO, "secret.key cannot be used");
    o = good_options();
    o.cacertfile = path_of("broken.pem");
    expect_error(&o, STATUS_IO, "broken.pem cannot be used");
    o = good_options();
    o.verify_peer = true;
    expect_error(&o, STATUS_MALFORMED, "verify_peer needs a cacertfile");
    o.cacertfile = path_of("server.pem");
    o.crlfile = path_of("server.pem");
    expect_error(&o, STATUS_IO, "the list of revoked certificates");
    o = good_options();
    o.ciphers = "NO-SUCH";
    expect_error(&o, STATUS_MALFORMED, "NO-SUCH");
    o.ciphers = "TLS_NO_SUCH";
    expect_error(&o, STATUS_MALFORMED, "TLS_NO_SUCH");
    o = good_options();
    o.v1_2 = o.v1_3 = false;
    expect_error(&o, STATUS_MALFORMED, "neither");
}
END_TEST

START_TEST(a_reload_that_fails_changes_nothing)
{
    static const char *const names[] = {"CN", "renewed", NULL};
    struct tls_options o = good_options();
    struct tls_certificate told;
    struct tls *tls;
    char *error;
    o.certfile = strdup(o.certfile);
    o.keyfile = strdup(path_of("secret.key"));
    o.password = "pass word";
    ck_assert_int_eq(tls_new(&o, &tls, &error), STATUS_OK);
    tls_certificate(tls, &told);
    ck_assert_str_eq(told.subject, "CN=server,O=Leveret");
    ck_assert_int_eq(told.not_before_s, 1577836800);
    ck_assert_int_eq(told.not_after_s, 4102444800);
    ck_assert_uint_eq(told.rsa_bits, 0);
    X509 *renewed = certificate(key, names, NULL), *foreign = certificate(other_key, names, NULL);
    write_certificate("server.pem", foreign);
    ck_assert_int_eq(tls_reload(tls, &error), STATUS_MALFORMED);
    ck_assert_ptr_nonnull(strstr(error, "does not belong"));
    free(error);
    tls_certificate(tls, &told);
    ck_assert_str_eq(told.subject, "CN=server,O=Leveret");
    write_certificate("server.pem", renewed);
    ck_assert_int_eq(tls_reload(tls, &error), STATUS_OK);
    ck_assert_ptr_null(error);
    tls_certificate(tls, &told);
    ck_assert_str_eq(told.subject, "CN=renewed");
    X509_free(renewed);
    X509_free(foreign);
    tls_free(&tls);
    free((void *)(uintptr_t)o.certfile);
    free((void *)(uintptr_t)o.keyfile);
}
END_TEST

static void see_cipher(void *context, const char *name)
{
    unsigned *seen = context;
    *seen += strcmp(name, "TLS_AES_256_GCM_SHA384") == 0;
    *seen += strcmp(name, "ECDHE-RSA-AES256-GCM-SHA384") == 0;
}

START_TEST(ciphers_are_told)
{
    unsigned seen = 0;
    tls_each_cipher(see_cipher, &seen);
    ck_assert_uint_eq(seen, 2);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("tls");
    TCase *tests = tcase_create("tls");
    tcase_set_timeout(tests, 120);
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, names_of_peers);
    tcase_add_test(tests, no_name);
    tcase_add_test(tests, a_zero_inside_of_a_name);
    tcase_add_test(tests, a_peer_without_certificate);
    tcase_add_test(tests, facts_of_1_2);
    tcase_add_test(tests, a_peer_that_is_not_trusted);
    tcase_add_test(tests, handshakes_have_a_budget);
    tcase_add_test(tests, errors_of_contexts);
    tcase_add_test(tests, a_reload_that_fails_changes_nothing);
    tcase_add_test(tests, ciphers_are_told);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
