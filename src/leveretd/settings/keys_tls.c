/* Keys of TLS, and of logging in by a certificate. key.h says what a row means. */
#include <string.h>

#include "leveretd/settings/key.h"

static const char *check_version(const char *value)
{
    static const char *const old[] = {"tlsv1.1", "tlsv1", "sslv3"};
    if (strcmp(value, "tlsv1.2") == 0 || strcmp(value, "tlsv1.3") == 0)
        return NULL;
    for (size_t i = 0; i < sizeof old / sizeof *old; i++)
        if (strcmp(value, old[i]) == 0)
            return "is not safe any more, and is not spoken: say tlsv1.2 or tlsv1.3";
    return "must be tlsv1.2 or tlsv1.3";
}

static const char *check_mechanism(const char *value)
{
    static const char *const known[] = {"PLAIN", "AMQPLAIN", "EXTERNAL", "ANONYMOUS"};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(value, known[i]) == 0)
            return NULL;
    return "must be PLAIN, AMQPLAIN, EXTERNAL or ANONYMOUS";
}

/* The rows of one server: those of AMQP, of the API, of the metrics. */
#define TLS_ROWS(prefix, to)                                                                       \
    {KEY_PLAIN(prefix ".cacertfile", KEY_TEXT, to.cacertfile, NULL)},                              \
        {KEY_PLAIN(prefix ".certfile", KEY_TEXT, to.certfile, NULL)},                              \
        {KEY_PLAIN(prefix ".keyfile", KEY_TEXT, to.keyfile, NULL)},                                \
        {KEY_PLAIN(prefix ".password", KEY_SECRET, to.password, NULL)},                            \
        {KEY_PLAIN(prefix ".crlfile", KEY_TEXT, to.crlfile, NULL)},                                \
        {KEY_CHOICE(prefix ".verify", to.verify, "verify_none", "verify_peer")},                   \
        {KEY_PLAIN(prefix ".fail_if_no_peer_cert", KEY_BOOL, to.need_peer, "false")},              \
        {KEY_RANGE(prefix ".depth", KEY_COUNT, to.depth, "1", 0, 100)},                            \
        {KEY_PLAIN(prefix ".versions.$version", KEY_TAG, to.versions, NULL),                       \
         .check = check_version},                                                                  \
        {KEY_PLAIN(prefix ".ciphers.$cipher", KEY_TAG, to.ciphers, NULL)},                         \
    {                                                                                              \
        KEY_PLAIN(prefix ".honor_cipher_order", KEY_BOOL, to.server_order, "true")                 \
    }

/* The same fields by their older names, which have no defaults of their own. */
#define OLD_TLS_ROWS(prefix, to)                                                                   \
    {KEY_PLAIN(prefix ".cacertfile", KEY_TEXT, to.cacertfile, NULL)},                              \
        {KEY_PLAIN(prefix ".certfile", KEY_TEXT, to.certfile, NULL)},                              \
        {KEY_PLAIN(prefix ".keyfile", KEY_TEXT, to.keyfile, NULL)},                                \
        {KEY_PLAIN(prefix ".password", KEY_SECRET, to.password, NULL)},                            \
        {KEY_CHOICE(prefix ".verify", to.verify, "verify_none", "verify_peer")},                   \
        {KEY_PLAIN(prefix ".fail_if_no_peer_cert", KEY_BOOL, to.need_peer, NULL)},                 \
        {KEY_PLAIN(prefix ".versions.$version", KEY_TAG, to.versions, NULL),                       \
         .check = check_version},                                                                  \
    {                                                                                              \
        KEY_PLAIN(prefix ".ciphers.$cipher", KEY_TAG, to.ciphers, NULL)                            \
    }

const struct key keys_tls[] = {
    {KEY_PLAIN("listeners.ssl", KEY_NO_LISTENERS, tls_listeners, NULL)},
    {KEY_PLAIN("listeners.ssl.$name", KEY_LISTENER, tls_listeners, NULL)},
    {KEY_RANGE("ssl_handshake_timeout", KEY_COUNT, tls_timeout_ms, "5000", 1, HOUR_MS),
     .live = true},
    TLS_ROWS("ssl_options", tls),
    TLS_ROWS("management.ssl", management_tls),
    OLD_TLS_ROWS("management.listener.ssl_opts", management_tls),
    {KEY_PLAIN("management.listener.ssl", KEY_BOOL, management_listener_tls, "false")},
    TLS_ROWS("prometheus.ssl", prometheus_tls),
    {KEY_PLAIN("management.ssl.ip", KEY_TEXT, management_tls_ip, NULL)},
    {KEY_PLAIN("management.ssl.port", KEY_PORT, management_tls_port, "none")},
    {KEY_PLAIN("prometheus.ssl.ip", KEY_TEXT, prometheus_tls_ip, NULL)},
    {KEY_PLAIN("prometheus.ssl.port", KEY_PORT, prometheus_tls_port, "none")},
    {KEY_CHOICE("ssl_cert_login_from", cert_login_from, "distinguished_name", "common_name",
                "subject_alternative_name")},
    {KEY_CHOICE("ssl_cert_login_san_type", cert_login_san, "dns", "ip", "email", "uri")},
    {KEY_RANGE("ssl_cert_login_san_index", KEY_COUNT, cert_login_san_index, "0", 0, 100)},
    {KEY_PLAIN("auth_mechanisms.$name", KEY_TAG, mechanisms, NULL), .check = check_mechanism},
    {.name = NULL},
};
