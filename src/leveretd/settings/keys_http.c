/* Keys of the HTTP API, its page, and metrics. key.h says what a row means. */
#include "leveretd/settings/key.h"

#define DAY_S 86400u

/* A text that is sent as a field of a head. */
static const char *check_field(const char *value)
{
    for (; *value; value++)
        if ((unsigned char)*value < 0x20 || *value == 0x7f)
            return "must not hold control characters";
    return NULL;
}

static const char *check_path(const char *value)
{
    size_t len = strlen(value);
    return value[0] != '/' || (len > 1 && value[len - 1] == '/')
               ? "must begin with / and not end with it"
               : NULL;
}

const struct key keys_http[] = {
    {KEY_PLAIN("management.tcp.ip", KEY_TEXT, management_ip, NULL)},
    {KEY_PLAIN("management.tcp.port", KEY_PORT, management_port, "15672")},
    {KEY_PLAIN("management.listener.ip", KEY_TEXT, management_ip, NULL)},
    {KEY_PLAIN("management.listener.port", KEY_PORT, management_port, NULL)},
    {KEY_PLAIN("prometheus.tcp.ip", KEY_TEXT, prometheus_ip, NULL)},
    {KEY_PLAIN("prometheus.tcp.port", KEY_PORT, prometheus_port, "15692")},
    {KEY_RANGE("management.tcp.max_connections", KEY_COUNT, http_connections, "512", 1, 1000000)},
    {KEY_RANGE("management.tcp.max_connections_per_address", KEY_COUNT,
               http_connections_per_address, "128", 1, 1000000)},
    {KEY_RANGE("management.tcp.idle_timeout", KEY_COUNT, http_idle_ms, "60000", 1000, HOUR_MS)},
    {KEY_RANGE("management.tcp.request_timeout", KEY_COUNT, http_request_ms, "10000", 100,
               HOUR_MS)},
    {KEY_RANGE("management.http.max_body_size", KEY_SIZE, http_body_bytes_max, "256MiB", 64 * KIB,
               2048 * MIB)},
    {KEY_RANGE("management.sample_retention_policies.global.minute", KEY_COUNT, history_global_s[0],
               NULL, 1, DAY_S)},
    {KEY_RANGE("management.sample_retention_policies.global.hour", KEY_COUNT, history_global_s[1],
               NULL, 1, DAY_S)},
    {KEY_RANGE("management.sample_retention_policies.global.day", KEY_COUNT, history_global_s[2],
               NULL, 1, DAY_S)},
    {KEY_RANGE("management.sample_retention_policies.basic.minute", KEY_COUNT, history_basic_s[0],
               NULL, 1, DAY_S)},
    {KEY_RANGE("management.sample_retention_policies.basic.hour", KEY_COUNT, history_basic_s[1],
               NULL, 1, DAY_S)},
    {KEY_RANGE("management.sample_retention_policies.basic.day", KEY_COUNT, history_basic_s[2],
               NULL, 1, DAY_S)},
    {KEY_RANGE("management.history_max", KEY_SIZE, history_bytes_max, "64MiB", 1 * MIB,
               65536 * MIB)},
    {KEY_RANGE("prometheus.tcp.max_connections", KEY_COUNT, metrics_connections, "64", 1, 1000000)},
    {KEY_RANGE("prometheus.tcp.max_connections_per_address", KEY_COUNT,
               metrics_connections_per_address, "32", 1, 1000000)},
    {KEY_PLAIN("management.path_prefix", KEY_TEXT, path_prefix, NULL), .check = check_path},
    {KEY_PLAIN("management.csp.policy", KEY_TEXT, page_csp, NULL), .check = check_field},
    {KEY_RANGE("management.login_session_timeout", KEY_COUNT, login_life_min, "480", 1, 525600)},
    {KEY_PLAIN("management.page.dir", KEY_TEXT, page_dir, NULL)},
    {KEY_PLAIN("management.hsts.policy", KEY_TEXT_OR_OFF, hsts, NULL), .check = check_field},
    {KEY_PLAIN("management.cors.allow_origins", KEY_TEXT_OR_OFF, cors_origin, NULL)},
    {KEY_PLAIN("management.cors.allow_origins.$name", KEY_TAG, cors_origins, NULL)},
    {KEY_RANGE("management.cors.max_age", KEY_COUNT, cors_max_age_s, "1800", 0, 86400)},
    {KEY_PLAIN("management.disable_stats", KEY_BOOL, disable_stats, "false")},
    {KEY_PLAIN("management.enable_queue_totals", KEY_BOOL, enable_queue_totals, "false")},
    {KEY_PLAIN("prometheus.path", KEY_TEXT, metrics_path, "/metrics"), .check = check_path},
    {KEY_PLAIN("prometheus.return_per_object_metrics", KEY_BOOL, metrics_per_object, "false")},
    {KEY_PLAIN("prometheus.authentication.enabled", KEY_BOOL, metrics_login, "false"),
     .live = true},
    {.name = NULL},
};
