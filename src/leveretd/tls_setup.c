/* The TLS of the servers: see tls_setup.h. */
#include "tls_setup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "leveret/base/mem.h"
#include "server.h"

/* A key of RSA with more bits makes a handshake so slow that others on its worker feel it. */
#define RSA_BITS_MAX 3072

static const char *const prefixes[] = {
    [TLS_FOR_AMQP] = "ssl_options",
    [TLS_FOR_API] = "management.ssl",
    [TLS_FOR_METRICS] = "prometheus.ssl",
};

static const struct setting_tls *setting_of(const struct settings *settings, enum tls_user user)
{
    return user == TLS_FOR_AMQP  ? &settings->tls
           : user == TLS_FOR_API ? &settings->management_tls
                                 : &settings->prometheus_tls;
}

/* Joins the values of a family. NULL: it is empty; else the caller frees it. */
static char *join(const struct setting_names *names, const char *between)
{
    struct text out = {0};
    for (size_t i = 0; i < names->count; i++)
        text_printf(&out, "%s%s", i ? between : "", names->items[i].value);
    if (!names->count)
        return NULL;
    text_add(&out, "", 1);
    return (char *)out.at;
}

static bool names_version(const struct setting_tls *setting, const char *version)
{
    for (size_t i = 0; i < setting->versions.count; i++)
        if (strcmp(setting->versions.items[i].value, version) == 0)
            return true;
    return setting->versions.count == 0;
}

static struct tls_options options_of(const struct setting_tls *setting, const char *ciphers)
{
    return (struct tls_options){
        .cacertfile = setting->cacertfile,
        .certfile = setting->certfile,
        .keyfile = setting->keyfile,
        .password = setting->password,
        .crlfile = setting->crlfile,
        .verify_peer = setting->verify == 1,
        .need_peer = setting->need_peer,
        .depth = (unsigned)setting->depth,
        .v1_2 = names_version(setting, "tlsv1.2"),
        .v1_3 = names_version(setting, "tlsv1.3"),
        .ciphers = ciphers,
        .server_order = setting->server_order,
    };
}

static void warn_of_key(const struct server *server, enum tls_user user, const struct tls *tls)
{
    struct tls_certificate certificate;
    tls_certificate(tls, &certificate);
    if (certificate.rsa_bits > RSA_BITS_MAX)
        log_line(server->log, LOG_WARNING, "tls",
                 "%s.keyfile: a key of RSA with %u bits makes each handshake take milliseconds of "
                 "its worker; a key of an elliptic curve takes a fiftieth of that",
                 prefixes[user], certificate.rsa_bits);
}

static enum status start_one(struct server *server, enum tls_user user, char **error)
{
    const struct setting_tls *setting = setting_of(server->settings, user);
    struct tls_setup *setup = &server->tls;
    setup->ciphers[user] = join(&setting->ciphers, ":");
    const struct tls_options options = options_of(setting, setup->ciphers[user]);
    enum status status = tls_new(&options, &setup->tls[user], error);
    if (status == STATUS_OK) {
        warn_of_key(server, user, setup->tls[user]);
        return STATUS_OK;
    }
    char *sentence = *error;
    if (asprintf(error, "%s: %s", prefixes[user], sentence ? sentence : status_text(status)) < 0)
        *error = NULL;
    free(sentence);
    return status;
}

enum status tls_setup_start(struct server *server, char **error)
{
    const struct settings *settings = server->settings;
    const bool wanted[] = {
        [TLS_FOR_AMQP] = settings->tls_listeners.count != 0,
        [TLS_FOR_API] = server->management_tls_address != NULL,
        [TLS_FOR_METRICS] = server->prometheus_tls_address != NULL,
    };
    enum status status = STATUS_OK;
    for (unsigned user = 0; user < TLS_USERS && status == STATUS_OK; user++) {
        if (!wanted[user])
            continue;
        status = start_one(server, (enum tls_user)user, error);
        if (status == STATUS_OK || !settings->lenient)
            continue;
        log_line(server->log, LOG_WARNING, "tls", "%.500s; nothing is listened on with it", *error);
        free(*error);
        *error = NULL;
        status = STATUS_OK;
    }
    return status;
}

void tls_setup_reload(struct server *server)
{
    for (unsigned user = 0; user < TLS_USERS; user++) {
        char *error;
        struct tls *tls = server->tls.tls[user];
        if (!tls)
            continue;
        if (tls_reload(tls, &error) == STATUS_OK)
            log_line(server->log, LOG_INFO, "tls", "%s: certificate, key and lists read again",
                     prefixes[user]);
        else
            log_line(server->log, LOG_ERROR, "tls", "%s: what it had is used on: %.500s",
                     prefixes[user], error);
        free(error);
    }
}

void tls_setup_free(struct tls_setup *setup)
{
    for (unsigned user = 0; user < TLS_USERS; user++) {
        tls_free(&setup->tls[user]);
        free(setup->ciphers[user]);
    }
    free(setup->mechanisms);
}

struct tls_login_rule tls_setup_login(const struct settings *settings)
{
    return (struct tls_login_rule){
        .from = (enum tls_login)settings->cert_login_from,
        .san = (enum tls_san)settings->cert_login_san,
        .san_index = (unsigned)settings->cert_login_san_index,
    };
}

char *tls_setup_mechanisms(const struct settings *settings)
{
    return join(&settings->mechanisms, " ");
}
