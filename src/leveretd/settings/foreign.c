/* The table of RabbitMQ's keys that have no effect here. */
#include "leveretd/settings/foreign.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "leveretd/settings/key_name.h"

#define NEEDLESS(n, w)                                                                             \
    {                                                                                              \
        .name = (n), .why = (w)                                                                    \
    }
#define MISSING(n, w)                                                                              \
    {                                                                                              \
        .name = (n), .why = (w), .missing = true                                                   \
    }
#define MISSING_UNLESS(n, w, v)                                                                    \
    {                                                                                              \
        .name = (n), .why = (w), .missing = true, .harmless = (v)                                  \
    }

#define NO_ERLANG     "no Erlang here"
#define ONE_NODE      "one node"
#define ALWAYS        "always so here"
#define OWN_STORE     "the journal works differently"
#define OWN_METRICS   "figures need no collecting"
#define OWN_LOG       "one log for all categories"
#define OWN_FORMAT    "the log's format is fixed"
#define OWN_HTTP      "the HTTP server needs none"
#define OWN_LOOP      "one loop accepts all connections"
#define OWN_TLS       "OpenSSL needs none"
#define NO_PLUGINS    "nothing here uses it"
#define OFFERED_PLAIN "no such option of sockets"

const struct foreign_key foreign_keys[] = {
    /* Sockets and the runtime. */
    NEEDLESS("num_acceptors.$any", OWN_LOOP),
    NEEDLESS("ranch_connection_max", OWN_LOOP),
    NEEDLESS("listeners.startup_delay", "listeners open when ready"),
    NEEDLESS("net_ticktime", NO_ERLANG),
    NEEDLESS("distribution.$any", NO_ERLANG),
    NEEDLESS("erlang.$any", NO_ERLANG),
    NEEDLESS("hipe_compile", NO_ERLANG),
    NEEDLESS("socket_writer.$any", NO_ERLANG),
    NEEDLESS("sysmon_handler.$any", NO_ERLANG),
    NEEDLESS("background_gc_enabled", NO_ERLANG),
    NEEDLESS("background_gc_target_interval", NO_ERLANG),
    NEEDLESS("delegate_count", NO_ERLANG),
    NEEDLESS("default_worker_pool_size", NO_ERLANG),
    NEEDLESS("memory_monitor_interval", "memory is watched at once"),
    NEEDLESS("reverse_dns_lookups", "addresses are shown as numbers"),
    NEEDLESS("tcp_listen_options", OFFERED_PLAIN),
    NEEDLESS("tcp_listen_options.$any", OFFERED_PLAIN),
    NEEDLESS("ssl_allow_poodle_attack", "SSL 3 is always off"),
    NEEDLESS("ssl_options", OWN_TLS),
    NEEDLESS("ssl_options.bypass_pem_cache", OWN_TLS),
    NEEDLESS("ssl_options.dh", OWN_TLS),
    NEEDLESS("ssl_options.dhfile", OWN_TLS),
    NEEDLESS("ssl_options.honor_ecc_order", OWN_TLS),
    NEEDLESS("ssl_options.log_alert", OWN_TLS),
    NEEDLESS("ssl_options.log_level", OWN_TLS),
    NEEDLESS("ssl_options.reuse_sessions", ALWAYS),
    NEEDLESS("ssl_options.secure_renegotiate", ALWAYS),
    MISSING("ssl_options.psk_identity", "TLS with pre-shared keys"),
    MISSING("ssl_options.cacerts.$name", "certificates inside of the configuration"),
    MISSING("ssl_options.cert", "certificates inside of the configuration"),
    MISSING("ssl_options.key.$type", "keys inside of the configuration"),
    MISSING_UNLESS("ssl_options.crl_check", "lists of revoked certificates", "false"),
    MISSING("ssl_options.crl_sources.$any", "lists of revoked certificates"),

    /* Queues, storage, memory. */
    NEEDLESS("queue_index_embed_msgs_below", OWN_STORE),
    NEEDLESS("mirroring_sync_batch_size", ONE_NODE),
    NEEDLESS("mirroring_sync_max_throughput", ONE_NODE),
    NEEDLESS("queue_leader_locator", ONE_NODE),
    NEEDLESS("queue_master_locator", ONE_NODE),
    MISSING_UNLESS("quorum_queue.property_equivalence.relaxed_checks_on_redeclaration",
                   "declaring a queue again with another type", "false"),
    NEEDLESS("quorum_queue.initial_cluster_size", ONE_NODE),
    NEEDLESS("quorum_queue.$any", OWN_STORE),
    NEEDLESS("classic_queue.$any", OWN_STORE),
    NEEDLESS("raft.$any", OWN_STORE),
    NEEDLESS("stream.$any", "no streams to set up"),
    NEEDLESS("metadata_store.$any", OWN_STORE),
    NEEDLESS("mnesia_table_loading_retry_limit", OWN_STORE),
    NEEDLESS("mnesia_table_loading_retry_timeout", OWN_STORE),
    NEEDLESS("message_store_shutdown_timeout", OWN_STORE),
    NEEDLESS("vhost_restart_strategy", "vhosts are opened again"),
    NEEDLESS("vm_memory_high_watermark_paging_ratio", "paging follows the watermark"),
    NEEDLESS("vm_memory_calculation_strategy", ALWAYS),
    NEEDLESS("prevent_startup_if_node_was_reset", ALWAYS),
    MISSING_UNLESS("deprecated_features.permit.$name", "refusing what is deprecated", "true"),
    NEEDLESS("consumer_disconnected_timeout", ONE_NODE),
    MISSING_UNLESS("queue_types.$type.enabled", "types of queues that are off", "true"),
    MISSING_UNLESS("exchange_types.$type.enabled", "types of exchanges that are off", "true"),
    NEEDLESS("channel_interceptor.priorities.$name", NO_PLUGINS),
    MISSING("message_interceptors.$any", "message interceptors"),
    MISSING_UNLESS("channel_tx_message_max", "a limit of messages in a transaction", "infinity"),
    MISSING("runtime_parameters.limits.$category", "limits of the number of parameters"),

    /* Clusters. */
    NEEDLESS("cluster_formation.$any", ONE_NODE),
    NEEDLESS("cluster_keepalive_interval", ONE_NODE),
    NEEDLESS("cluster_partition_handling", ONE_NODE),
    NEEDLESS("cluster_partition_handling.$any", ONE_NODE),

    /* Figures. */
    NEEDLESS("collect_statistics", OWN_METRICS),
    NEEDLESS("collect_statistics_interval", OWN_METRICS),
    NEEDLESS("management_agent.disable_metrics_collector", OWN_METRICS),
    NEEDLESS("management.rates_mode", OWN_METRICS),
    NEEDLESS("management.db_cache_multiplier", OWN_METRICS),
    NEEDLESS("management.delegate_count", NO_ERLANG),
    NEEDLESS("management.sample_retention_policies.detailed.$interval", "no detailed samples here"),
    MISSING("management_agent.filter_aggregated_queue_metrics_pattern",
            "sums that leave queues out"),
    MISSING("prometheus.filter_aggregated_queue_metrics_pattern", "sums that leave queues out"),

    /* HTTP. */
    NEEDLESS("management.http_log_dir", "the log has refused requests"),
    NEEDLESS("http_dispatch.access_log_dir", "the log has refused requests"),
    NEEDLESS("management.tcp.$option", OWN_HTTP),
    NEEDLESS("prometheus.tcp.$option", OWN_HTTP),
    NEEDLESS("management.listener.ssl_opts.$option", OWN_HTTP),
    NEEDLESS("management.ssl.$option", OWN_HTTP),
    NEEDLESS("prometheus.ssl.$option", OWN_HTTP),
    NEEDLESS("management.listener.server.$option", OWN_HTTP),
    NEEDLESS("management.listener.ssl_opts", OWN_HTTP),
    NEEDLESS("management.http.hide_allow_header", "no error lists methods"),
    NEEDLESS("management.headers.$header", ALWAYS),
    NEEDLESS("management.credential_encryption_secret", "no password in cookies"),
    NEEDLESS("management.definitions.require_json_extension", "names of files do not count"),
    NEEDLESS("management.require_auth_for_api_reference", "nothing secret in it"),
    MISSING_UNLESS("management.disable_basic_auth", "an API without passwords", "false"),
    MISSING_UNLESS("management.enable_uaa", "OAuth 2", "false"),
    MISSING("management.uaa_client_id", "OAuth 2"),
    MISSING("management.uaa_location", "OAuth 2"),
    MISSING_UNLESS("management.oauth_enabled", "OAuth 2", "false"),
    MISSING_UNLESS("management.oauth_disable_basic_auth", "OAuth 2", "false"),
    MISSING("management.oauth_authorization_endpoint_params.$any", "OAuth 2"),
    MISSING("management.oauth_client_id", "OAuth 2"),
    MISSING("management.oauth_client_secret", "OAuth 2"),
    MISSING("management.oauth_initiated_logon_type", "OAuth 2"),
    MISSING("management.oauth_metadata_url", "OAuth 2"),
    MISSING("management.oauth_provider_url", "OAuth 2"),
    MISSING("management.oauth_resource_servers.$any", "OAuth 2"),
    MISSING("management.oauth_response_type", "OAuth 2"),
    MISSING("management.oauth_scopes", "OAuth 2"),
    MISSING("management.oauth_token_endpoint_params.$any", "OAuth 2"),
    MISSING_UNLESS("management.restrictions.operator_policy_changes.disabled",
                   "operator policies that nobody may change", "false"),
    NEEDLESS("management.restrictions.quorum_queue_replica_operations.disabled", ONE_NODE),

    /* The log. */
    NEEDLESS("log.$category.file", OWN_LOG),
    NEEDLESS("log.$category.rotation.$option", OWN_LOG),
    NEEDLESS("log.console.color_esc_seqs.$level", OWN_FORMAT),
    NEEDLESS("log.console.use_colors", OWN_FORMAT),
    NEEDLESS("log.$output.formatter.$option", OWN_FORMAT),
    NEEDLESS("log.exchange.formatter", OWN_FORMAT),
    NEEDLESS("log.journald.fields", OWN_FORMAT),
    NEEDLESS("log.error_logger_format_depth", NO_ERLANG),
    NEEDLESS("log.summarize_process_state", NO_ERLANG),
    MISSING_UNLESS("log.syslog", "logging to syslog", "false"),
    MISSING("log.syslog.$option", "logging to syslog"),

    /* Who logs in, and how. */
    MISSING_UNLESS("auth_backends.$any", "another source of users than its own",
                   "internal rabbit_auth_backend_internal"),
    MISSING_UNLESS("http_dispatch.auth_backends.$any", "another source of users than its own",
                   "internal rabbit_auth_backend_internal"),
    MISSING("auth_oauth2.$any", "OAuth 2"),
    MISSING("auth_ldap.$any", "LDAP"),
    MISSING("auth_http.$any", "users asked for by HTTP"),
    MISSING("auth_cache.$any", "a cache of other sources of users"),
    MISSING("trust_store.$any", "a store of trusted certificates"),
    NEEDLESS("anonymous_login_pass", "an anonymous user needs none"),

    /* Where definitions come from. */
    MISSING("definitions.https.url", "definitions from a web server"),
    MISSING("definitions.tls.$option", "definitions from a web server"),
    NEEDLESS("definitions.hashing.algorithm", ALWAYS),

    /* Protocols and plugins. */
    MISSING("mqtt.$any", "MQTT"),
    MISSING("stomp.$any", "STOMP"),
    MISSING("web_mqtt.$any", "MQTT"),
    MISSING("web_stomp.$any", "STOMP"),
    MISSING("web_amqp.$any", "AMQP over WebSockets"),
    NEEDLESS("amqp1_0.$any", "no AMQP 1.0 to set up"),
    NEEDLESS("session_max_per_connection", "no AMQP 1.0 to bound"),
    NEEDLESS("link_max_per_session", "no AMQP 1.0 to bound"),
    NEEDLESS("amqp10_client.ssl_options", NO_PLUGINS),
    NEEDLESS("amqp10_client.ssl_options.$option", NO_PLUGINS),
    NEEDLESS("amqp_client.ssl_options", NO_PLUGINS),
    NEEDLESS("amqp_client.ssl_options.$option", NO_PLUGINS),
    NEEDLESS("shovel.$option", NO_PLUGINS),
    NEEDLESS("exchange_federation.$option", NO_PLUGINS),
    NEEDLESS("queue_federation.$option", NO_PLUGINS),
    NEEDLESS("federation.$option", NO_PLUGINS),
    NEEDLESS("credentials_obfuscation.$option", NO_ERLANG),
    NEEDLESS("event_exchange.protocol", ALWAYS),
    NEEDLESS("tracing.$option", NO_PLUGINS),
    NEEDLESS("aws.$option", ONE_NODE),
    /* Until they work. */
    NEEDLESS("ssl_options.$any", OWN_TLS),
    MISSING_UNLESS("proxy_protocol", "the PROXY protocol", "false"),
    MISSING("default_policies.operator.$any", "operator policies of new vhosts"),
    {.name = NULL},
};

const struct foreign_key *foreign_find(const char *name)
{
    const char *rest;
    for (const struct foreign_key *key = foreign_keys; key->name; key++)
        if (key_name_fits(key->name, name, &rest))
            return key;
    return NULL;
}

bool foreign_is_missing(const struct foreign_key *key, const char *value)
{
    size_t len = strlen(value);
    if (!key->missing)
        return false;
    for (const char *at = key->harmless; at && *at; at += strspn(at, " ")) {
        size_t word = strcspn(at, " ");
        if (word == len && strncasecmp(at, value, len) == 0)
            return false;
        at += word;
    }
    return true;
}
