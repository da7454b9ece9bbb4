/* The configuration of leveretd: defaults, then a file, then the environment, then --set; each
 * overrides what came before. The tables in keys_AREA.c say which keys there are. Thread: one at a
 * time.
 *
 * Errors are collected, one line of text each, so that an operator sees all of them at once; keys
 * of RabbitMQ that have no effect here get a line, too (foreign.h). Values of passwords appear in
 * none.
 */
#ifndef LEVERETD_SETTINGS_H
#define LEVERETD_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "leveret/base/status.h"
#include "leveret/base/text.h"
#include "leveretd/settings/report.h"
#include "leveretd/settings/setting_names.h"

/* The value of a level or format that is taken from log.level or log.format. */
#define SETTING_INHERIT UINT64_MAX

/* The TLS of one server. */
struct setting_tls {
    char *cacertfile, *certfile, *keyfile, *password, *crlfile; /* NULL: not set */
    uint64_t verify;                                            /* 1: verify_peer */
    bool need_peer, server_order;
    uint64_t depth;
    struct setting_names versions, ciphers; /* empty: all that are safe */
};

struct settings {
    /* Addresses to listen on, as the file has them; settings_addresses gives them in listener_new's
     * form. */
    struct setting_names listeners;
    char *unix_path;
    struct setting_names tls_listeners; /* the same with TLS; empty: there are none */
    struct setting_tls tls, management_tls, prometheus_tls;
    char *management_tls_ip, *management_tls_port, *prometheus_tls_ip, *prometheus_tls_port;
    bool management_listener_tls; /* true: management.listener.port is that of HTTPS */
    uint64_t tls_timeout_ms;
    uint64_t cert_login_from, cert_login_san; /* enum tls_login, enum tls_san */
    uint64_t cert_login_san_index;
    struct setting_names mechanisms; /* empty: PLAIN and AMQPLAIN, and ANONYMOUS if it is on */
    uint64_t tcp_backlog;            /* 0: the listener's own */
    bool tcp_nodelay, tcp_keepalive;
    uint64_t tcp_send_bytes, tcp_receive_bytes; /* of the kernel's buffers; 0: the kernel chooses */
    uint64_t tcp_send_timeout_ms;               /* 0: the kernel decides */
    char *management_ip, *management_port, *prometheus_ip, *prometheus_port;

    char *hsts, *cors_origin;                /* NULL: none */
    char *path_prefix, *page_csp, *page_dir; /* NULL: none, the page's own, built in */
    uint64_t login_life_min;
    struct setting_names cors_origins;
    uint64_t cors_max_age_s;
    char *metrics_path;
    bool metrics_per_object, metrics_login, disable_stats, enable_queue_totals;
    uint64_t http_connections, http_connections_per_address, http_idle_ms, http_request_ms;
    uint64_t http_body_bytes_max, metrics_connections, metrics_connections_per_address;
    /* Seconds between samples that are kept for a minute, an hour and a day; 0: not said. */
    uint64_t history_global_s[3], history_basic_s[3];
    uint64_t history_bytes_max;

    uint64_t heartbeat_s, channel_max, frame_bytes_max, handshake_timeout_ms;
    /* Limits of the node; UINT64_MAX: none. */
    uint64_t connections_max, channels_max, vhosts_max, queues_max, exchanges_max;
    uint64_t consumers_max; /* of a channel; UINT64_MAX: as many as a channel can have */
    uint64_t first_frame_bytes_max;
    uint64_t message_bytes_max, output_bytes_max, consumer_timeout_ms;

    uint64_t compatibility; /* the number of a word: see compatibility.h */
    /* enum dialect_count, dialect_deaths, dialect_timeout */
    uint64_t delivery_count, x_death, consumer_timeout_action;
    unsigned said; /* has a bit for each key of compatibility.c that was set by itself */

    char *event_vhost; /* has the exchange of events and of log lines; NULL: default_vhost */
    char *product_name, *product_version; /* shown by the API; NULL: Leveret's own */
    char *motd_file;                      /* a text for people who log in; NULL: none */
    char *default_user, *default_pass, *default_vhost, *anonymous_user;
    uint64_t default_queue_type;       /* enum queue_type */
    struct setting_names default_tags; /* tag to "true" or "false" */
    char *default_configure, *default_write, *default_read;
    struct setting_names default_users;  /* "NAME.password" and so on */
    struct setting_names default_limits; /* "ID.pattern", "ID.max_connections", "ID.max_queues" */
    uint64_t validator;                  /* the number of a word; see validator_of in defaults.c */
    uint64_t password_bytes_min;
    char *password_regexp;               /* NULL: none */
    uint64_t password_hashing;           /* the number of a word */
    uint64_t attempts_per_minute;        /* 0: no bound */
    struct setting_names loopback_users; /* name to "true" or "false" */

    char *load_definitions;       /* a file or a folder; NULL: none */
    uint64_t definitions_backend; /* the number of a word; there is one */
    bool definitions_skip_unchanged;

    /* Of each pair the ratio is used when bytes is 0. */
    double memory_ratio;
    uint64_t memory_bytes;
    double disk_ratio;
    uint64_t disk_bytes;
    uint64_t memory_total; /* bytes that ratios are of; 0: the machine's memory */

    /* Each an enum log_level or log_format; of one output also SETTING_INHERIT. */
    uint64_t log_level, log_format;
    uint64_t log_console_level, log_console_format, log_file_level, log_file_format;
    uint64_t log_journald_level, log_exchange_level;
    uint64_t log_console;       /* the number of a word: auto, true, false */
    uint64_t log_console_stdio; /* 0: stderr, 1: stdout */
    char *log_dir, *log_file;   /* NULL: not set; none */
    char *log_rotation_date;    /* RabbitMQ's form; NULL: never */
    uint64_t log_rotation_bytes, log_rotation_count;
    bool log_rotation_compress, log_journald, log_exchange;
    struct setting_names log_categories; /* "connection.level" to a level */

    char *data_dir;       /* NULL: nothing is stored */
    char *control_socket; /* a path, in the data directory unless it begins with /; NULL: none */
    uint64_t workers;     /* 0: chosen by the number of cores */
    uint64_t writers;
    char *product, *version, *cluster_name;
    char *node_name; /* NULL: made from the machine's name */
    char *pid_file;  /* NULL: none is written */
    struct setting_names cluster_tags, node_tags;

    bool lenient; /* true: what is missing is a warning */
    /* Where each value came from, by an identifier of the field: see origin.c. */
    struct setting_names origins;
};

/* The defaults. Never NULL. */
struct settings *settings_new(void);
void settings_free(struct settings **settings);

/* Sets one key. On error *why (owned by the caller) says what is wrong with the value, without the
 * key. Errors: NOT_FOUND (no such key), MALFORMED. */
MUST_USE enum status settings_set(struct settings *settings, const char *key, const char *value,
                                  char **why);

/* ---- Sources. What is wrong, or has no effect, is told to the report. */

/* Takes one assignment from a source; `where` names its place ("leveret.conf:3"). */
void settings_take(struct settings *settings, const char *where, const char *key, const char *value,
                   struct report *report);
/* Reads a file, or each *.conf of a folder in order of name. */
void settings_read_path(struct settings *settings, const char *path, struct report *report);
/* "key=value", of --set. */
void settings_read_assignment(struct settings *settings, const char *assignment,
                              struct report *report);

/* ---- What counts, and where it came from. */

/* Whether a source has set the key; name: as in a file. */
bool settings_is_set(const struct settings *settings, const char *name);
/* Calls back for every key, and every entry of a family, with its effective value ("***" for a
 * secret) and its origin: "default", "leveret.conf:3", "LEVERET_HEARTBEAT", "--set". The texts are
 * valid during the call. */
void settings_each(const struct settings *settings,
                   void (*each)(void *context, const char *key, const char *value,
                                const char *origin),
                   void *context);
/* The configuration file with every key, commented out, as it is by default. */
void settings_print_file(struct text *out);

/* ---- Changing while the broker runs. */

/* Appends the names of keys whose values differ, separated by ", ": to live those that
 * settings_take_live copies, to waiting those that change only at the next start. */
void settings_differences(const struct settings *now, const struct settings *wanted,
                          struct text *live, struct text *waiting);
/* Copies what can change while the broker runs: limits, what clients are offered, the log's level,
 * loopback_users. */
void settings_take_live(struct settings *to, const struct settings *from);

/* ---- What follows from the values. */

/* The addresses to listen on, in listener_new's form, as a NULL-ended list for settings_free_list.
 * Listeners that are off are left out. */
char **settings_addresses(const struct settings *settings);
/* The same of the listeners with TLS; empty: there are none. */
char **settings_tls_addresses(const struct settings *settings);
/* The users who may log in from loopback only, as such a list. */
char **settings_loopback_users(const struct settings *settings);
void settings_free_list(char ***list);
/* "15672" or "127.0.0.1:15672", which the caller frees; NULL when the API is off. */
char *settings_management_address(const struct settings *settings);
char *settings_prometheus_address(const struct settings *settings);
/* The same of the two servers' HTTPS. */
char *settings_management_tls_address(const struct settings *settings);
char *settings_prometheus_tls_address(const struct settings *settings);
/* The memory watermark in bytes, given the memory of the machine. */
uint64_t settings_memory_bytes_max(const struct settings *settings, uint64_t physical_bytes);
uint64_t settings_disk_free_bytes_min(const struct settings *settings, uint64_t physical_bytes);

#endif
