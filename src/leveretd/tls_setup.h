/* The TLS of the servers: for AMQP, the HTTP API and the metrics. Thread: the main thread. */
#ifndef LEVERETD_TLS_SETUP_H
#define LEVERETD_TLS_SETUP_H

#include "leveret/base/status.h"
#include "leveret/net/tls.h"

struct server;
struct settings;

enum tls_user { TLS_FOR_AMQP, TLS_FOR_API, TLS_FOR_METRICS, TLS_USERS };

/* What the servers with TLS share a shape of. */
struct tls_setup {
    struct tls *tls[TLS_USERS]; /* NULL: that server speaks none */
    char *ciphers[TLS_USERS];   /* what the options point to */
    char *mechanisms;           /* auth_options.mechanisms; NULL: the default */
};

/* Makes those that are wanted. Errors: as tls_new, with a sentence in *error that names the key. With
 * config.lenient an error is a warning, and that server speaks none. */
MUST_USE enum status tls_setup_start(struct server *server, char **error);
/* Reads certificates, keys and lists again; what is wrong is logged, and that server keeps what it
 * had. */
void tls_setup_reload(struct server *server);
void tls_setup_free(struct tls_setup *setup);

/* The settings of logging in by certificate. */
struct tls_login_rule tls_setup_login(const struct settings *settings);
/* The mechanisms that are offered; NULL: the default. The caller frees it. */
char *tls_setup_mechanisms(const struct settings *settings);

#endif
