/* Diagnostics: what the node says of itself, for people and for probes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/api/api.h"
#include "ctl/api/http.h"
#include "ctl/api/node_name.h"
#include "ctl/command/command.h"
#include "ctl/command/node.h"
#include "ctl/output/rows.h"

/* ---- Lists and objects. */

/* Prints a list of the API with these columns, and frees it. */
static void print_list(const struct session *session, struct value *list,
                       const struct column *columns, size_t count)
{
    struct rows rows;
    rows_begin(&rows, &session->options->style, columns, count, true);
    for (size_t i = 0; i < value_count(list); i++)
        rows_add(&rows, value_at(list, i));
    rows_end(&rows);
    value_free(&list);
}

/* Asks for a list, and prints it. The path is freed. */
static enum outcome list_of(struct session *session, char *path, const struct column *columns,
                            size_t count)
{
    const struct api_request request = {.path = path, .what = "list"};
    struct value *list = NULL;
    enum outcome outcome = api_call(session, &request, &list);
    if (outcome == OUTCOME_OK)
        print_list(session, list, columns, count);
    return outcome;
}
#define LIST_OF(session, path, columns)                                                            \
    list_of(session, path, columns, sizeof(columns) / sizeof *(columns))

static enum outcome run_feature_flags(struct session *session)
{
    static const struct column columns[] = {
        {"name", "name"}, {"state", "state"}, {"stability", "stability"}, {"desc", "desc"}};
    return LIST_OF(session, api_path("feature-flags", NULL), columns);
}

static enum outcome run_enable_feature_flag(struct session *session)
{
    const char *name = session->args[0];
    const struct api_request request = {.method = "PUT",
                                        .path = api_path("feature-flags", name, "enable", NULL),
                                        .body = value_new_map(),
                                        .what = "feature flag",
                                        .which = name};
    if (strcmp(name, "all") != 0)
        return api_call(session, &request, NULL);
    free(request.path); /* all of them are enabled */
    struct value *body = request.body;
    value_free(&body);
    return OUTCOME_OK;
}

static enum outcome run_deprecated_features(struct session *session)
{
    static const struct column columns[] = {
        {"name", "name"}, {"deprecation_phase", "deprecation_phase"}, {"state", "state"}};
    return LIST_OF(session, api_path("deprecated-features", NULL), columns);
}

static enum outcome run_certificates(struct session *session)
{
    static const struct column columns[] = {{"protocol", "protocol"},
                                            {"interface", "interface"},
                                            {"port", "port"},
                                            {"subject", "subject"},
                                            {"expires", "certfile_expires_on"}};
    return LIST_OF(session, api_path("certificates", NULL), columns);
}

static enum outcome run_listeners(struct session *session)
{
    static const struct column columns[] = {
        {"protocol", "protocol"}, {"interface", "ip_address"}, {"port", "port"}, {"tls", "tls"}};
    const struct api_request request = {.path = api_path("overview", NULL)};
    struct value *about = NULL;
    enum outcome outcome = api_call(session, &request, &about);
    if (outcome == OUTCOME_OK)
        print_list(session, value_copy(value_get(about, "listeners")), columns,
                   sizeof columns / sizeof *columns);
    value_free(&about);
    return outcome;
}

static enum outcome run_login_attempts(struct session *session)
{
    static const struct column columns[] = {
        {"protocol", "protocol"},           {"remote_address", "remote_address"},
        {"username", "username"},           {"attempts", "auth_attempts"},
        {"failed", "auth_attempts_failed"}, {"succeeded", "auth_attempts_succeeded"}};
    const char *node = node_name(session);
    if (!node)
        return session->failed;
    return LIST_OF(session, api_path("auth", "attempts", node, "source", NULL), columns);
}

static enum outcome run_reset_login_attempts(struct session *session)
{
    return node_do(session, "DELETE", "auth/attempts/:n");
}

static enum outcome run_cluster_status(struct session *session)
{
    static const struct column lines[] = {
        {"cluster", "cluster_name"},        {"node", "node"},
        {"version", "product_version"},     {"rabbitmq_version", "rabbitmq_version"},
        {"listeners", "listeners"},         {"connections", "object_totals.connections"},
        {"queues", "object_totals.queues"},
    };
    const struct api_request request = {.path = api_path("overview", NULL)};
    struct value *about = NULL;
    enum outcome outcome = api_call(session, &request, &about);
    if (outcome == OUTCOME_OK)
        rows_print_one(&session->options->style, lines, sizeof lines / sizeof *lines, about);
    value_free(&about);
    return outcome;
}

/* The parts of the node's memory as a list, largest first. */
static enum outcome run_memory_breakdown(struct session *session)
{
    static const struct column columns[] = {{"part", "part"}, {"bytes", "bytes"}};
    const char *node = node_name(session);
    if (!node)
        return session->failed;
    const struct api_request request = {.path = api_path("nodes", node, "memory", NULL)};
    struct value *answer = NULL, *list = value_new_list();
    enum outcome outcome = api_call(session, &request, &answer);
    const struct value *parts = value_get(answer, "memory");
    for (size_t i = 0; i < value_count(parts); i++) {
        const char *key = value_key_at(parts, i);
        const struct value *bytes = value_member(parts, key);
        if (value_kind_of(bytes) != VALUE_NUMBER)
            continue;
        struct value *row = value_new_map();
        value_set(row, "part", value_new_text(key));
        value_set(row, "bytes", value_copy(bytes));
        value_append(list, row);
    }
    if (outcome == OUTCOME_OK)
        print_list(session, list, columns, sizeof columns / sizeof *columns);
    else
        value_free(&list);
    value_free(&answer);
    return outcome;
}

/* ---- Words. */

static void say(const char *text)
{
    printf("%s\n", text);
}

static enum outcome run_server_version(struct session *session)
{
    const struct api_request request = {.path = api_path("overview", NULL)};
    struct value *about = NULL;
    enum outcome outcome = api_call(session, &request, &about);
    const char *version = value_text(value_get(about, session->command->detail));
    if (outcome == OUTCOME_OK && version)
        say(version);
    value_free(&about);
    return outcome;
}

/* detail: what is true of a node that answers. */
static enum outcome run_answers(struct session *session)
{
    const struct api_request request = {.path = api_path("whoami", NULL)};
    enum outcome outcome = api_call(session, &request, NULL);
    if (outcome == OUTCOME_OK && session->command->detail[0])
        say(session->command->detail);
    return outcome;
}

/* What the broker's TLS can do, a line each; detail: the list. */
static enum outcome run_tls(struct session *session)
{
    const struct api_request request = {.path = api_path("tls", NULL)};
    const struct style *style = &session->options->style;
    struct value *answer = NULL;
    enum outcome outcome = api_call(session, &request, &answer);
    const struct value *list = value_get(answer, session->command->detail);
    if (outcome == OUTCOME_OK && style_is_json(style)) {
        value_print(list, false, stdout);
        putchar('\n');
    }
    for (size_t i = 0; outcome == OUTCOME_OK && !style_is_json(style) && i < value_count(list); i++)
        say(value_text(value_at(list, i)));
    value_free(&answer);
    return outcome;
}

/* A list that is always empty here: queues answer, or their virtual host is down. */
static enum outcome run_nothing(struct session *session)
{
    static const struct column columns[] = {{"name", "name"}};
    print_list(session, value_new_list(), columns, 1);
    return OUTCOME_OK;
}

/* ---- Checks. */

static enum outcome run_check(struct session *session)
{
    const struct api_request request = {
        .path =
            api_path("health", "checks", session->command->detail, session_arg(session, 0), NULL)};
    return api_call(session, &request, NULL);
}

static enum outcome run_check_expiration(struct session *session)
{
    const struct options *o = session->options;
    const char *unit = option_text(o, OPTION_UNIT);
    char within[24];
    snprintf(within, sizeof within, "%lld", (long long)option_number(o, OPTION_WITHIN, 4));
    const struct api_request request = {.path =
                                            api_path("health", "checks", "certificate-expiration",
                                                     within, unit ? unit : "weeks", NULL)};
    return api_call(session, &request, NULL);
}

/* ---- The log. */

static void print_line(const struct value *line)
{
    static const char *const parts[] = {"time", "level", "area"};
    struct text text = {0};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        value_show(value_get(line, parts[i]), &text);
        text_printf(&text, "%s", i < 2 ? " " : ": ");
    }
    value_show(value_get(line, "text"), &text);
    printf("%.*s\n", BYTES_PRINT(text_bytes(&text)));
    text_free(&text);
}

static enum outcome run_log_tail(struct session *session)
{
    struct text path = {0};
    struct value *lines = NULL;
    text_printf(&path, "/api/log?lines=%lld%c",
                (long long)option_number(session->options, OPTION_LINES, 50), 0);
    const struct api_request request = {.path = (char *)path.at};
    enum outcome outcome = api_call(session, &request, &lines);
    for (size_t i = 0; outcome == OUTCOME_OK && i < value_count(lines); i++)
        print_line(value_at(lines, i));
    value_free(&lines);
    return outcome;
}

/* Tells on stderr how much was lost. Returns true when the event says that. */
static bool tell_lost(const char *name, const struct value *event)
{
    if (!name || strcmp(name, "lost") != 0)
        return false;
    complain("%.0f were lost: they came faster than they could be shown",
             value_number(value_get(event, "count")));
    return true;
}

static bool show_line(void *context, const char *name, const struct value *event)
{
    (void)context;
    if (!tell_lost(name, event))
        print_line(event);
    return fflush(stdout) == 0;
}

static enum outcome run_log_tail_stream(struct session *session)
{
    struct text path = {0};
    text_printf(&path, "/api/log/tail?lines=%lld%c",
                (long long)option_number(session->options, OPTION_LINES, 0), 0);
    const struct api_request request = {.path = (char *)path.at};
    return api_follow(session, &request, show_line, NULL);
}

/* ---- Messages of an exchange. */

static bool show_message(void *context, const char *name, const struct value *event)
{
    (void)context;
    if (!tell_lost(name, event)) {
        value_print(event, false, stdout);
        putchar('\n');
    }
    return fflush(stdout) == 0;
}

static enum outcome follow_exchange(struct session *session, const char *vhost,
                                    const char *exchange, const char *key)
{
    struct text path = {0};
    char *plain = api_path("exchanges", vhost, exchange, "tail", NULL);
    text_printf(&path, "%s?key=", plain);
    http_quote(&path, key);
    text_add(&path, "", 1);
    free(plain);
    const struct api_request request = {
        .path = (char *)path.at, .what = "exchange", .which = exchange, .in_vhost = true};
    return api_follow(session, &request, show_message, NULL);
}

static enum outcome run_tail(struct session *session)
{
    const char *key = option_text(session->options, OPTION_ROUTING_KEY);
    return follow_exchange(session, session->options->vhost, session->args[0], key ? key : "#");
}

static enum outcome run_events(struct session *session)
{
    return follow_exchange(session, session->options->vhost, "amq.rabbitmq.event", "#");
}

/* ---- The report. */

/* Prints an answer without what could be secret. */
static void print_part(const char *title, struct value *value)
{
    printf("\n# %s\n", title);
    value_print(value, true, stdout);
    putchar('\n');
}

/* All that is asked for first when somebody needs help. What one part cannot be asked is left out,
 * and complained of. */
static enum outcome run_report(struct session *session)
{
    static const char *const parts[] = {"overview",   "nodes",         "config/effective",
                                        "vhosts",     "policies",      "operator-policies",
                                        "parameters", "connections",   "channels",
                                        "consumers",  "exchanges",     "queues",
                                        "bindings",   "feature-flags", "auth/attempts",
                                        "tasks",      "log?lines=500"};
    enum outcome worst = OUTCOME_OK;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        struct text path = {0};
        struct value *answer = NULL;
        text_printf(&path, "/api/%s%c", parts[i], 0);
        const struct api_request request = {.path = (char *)path.at};
        enum outcome outcome = api_call(session, &request, &answer);
        if (outcome == OUTCOME_OK)
            print_part(parts[i], answer);
        else
            worst = outcome;
        value_free(&answer);
        if (outcome == OUTCOME_UNREACHABLE)
            break;
    }
    return worst;
}

/* clang-format off */
static const struct command commands[] = {
    {"ping", "", {0}, run_answers, "", NEEDS_ANY, "Whether the broker answers"},
    {"is_running", "", {0}, run_answers, "true", NEEDS_ANY, "The same, in a word"},
    {"is_booting", "", {0}, run_answers, "false", NEEDS_ANY, "Whether it is starting: one that answers is not"},
    {"server_version", "", {0}, run_server_version, "product_version", NEEDS_ANY, "The version of Leveret"},
    {"cluster_status", "", {0}, run_cluster_status, NULL, NEEDS_MONITORING, "The cluster, which is one node"},
    {"listeners", "", {0}, run_listeners, NULL, NEEDS_MONITORING, "What is listened on"},
    {"memory_breakdown", "", {0}, run_memory_breakdown, NULL, NEEDS_MONITORING, "What memory is used for"},
    {"certificates", "", {0}, run_certificates, NULL, NEEDS_MONITORING, "Certificates that listeners use"},
    {"tls_versions", "", {0}, run_tls, "versions", NEEDS_MONITORING, "Versions of TLS that can be spoken"},
    {"cipher_suites", "", {0}, run_tls, "cipher_suites", NEEDS_MONITORING, "Ciphers of TLS that can be used, by OpenSSL's names"},
    {"list_ciphers", "", {0}, run_tls, "cipher_suites", NEEDS_MONITORING, "The same"},
    {"check_certificate_expiration", "", {OPTION_WITHIN, OPTION_UNIT}, run_check_expiration, NULL, NEEDS_ANY,
     "Whether no listener's certificate ends soon"},
    {"check_local_alarms", "", {0}, run_check, "local-alarms", NEEDS_ANY, "Whether memory and disk are as they should be"},
    {"check_protocol_listener", "PROTOCOL", {0}, run_check, "protocol-listener", NEEDS_ANY, "Whether a protocol is listened for"},
    {"check_if_node_is_quorum_critical", "", {0}, run_check, "node-is-quorum-critical", NEEDS_ANY, "Whether others need this node: there are none"},
    {"list_feature_flags", "", {0}, run_feature_flags, NULL, NEEDS_ANY, "RabbitMQ's feature flags that are fulfilled"},
    {"enable_feature_flag", "NAME", {0}, run_enable_feature_flag, NULL, NEEDS_ADMIN, "Enable one, or all: they are"},
    {"list_deprecated_features", "", {0}, run_deprecated_features, NULL, NEEDS_ANY, "Deprecated features: none"},
    {"list_unresponsive_queues", "", {0}, run_nothing, NULL, "nobody", "Queues that do not answer: none"},
    {"list_node_auth_attempt_stats", "", {0}, run_login_attempts, NULL, NEEDS_MONITORING, "Log-in attempts by address and user"},
    {"reset_node_auth_attempt_metrics", "", {0}, run_reset_login_attempts, NULL, NEEDS_MONITORING, "Count them anew"},
    {"log_tail", "", {OPTION_LINES}, run_log_tail, NULL, NEEDS_MONITORING, "The last lines of the log"},
    {"log_tail_stream", "", {OPTION_LINES}, run_log_tail_stream, NULL, NEEDS_MONITORING, "Each new line of the log, until Ctrl-C"},
    {"consume_event_stream", "", {OPTION_VHOST}, run_events, NULL, "read on amq.rabbitmq.event",
     "Each event of the broker (queue.created, connection.closed …) as a line of JSON"},
    {"tail", "EXCHANGE", {OPTION_VHOST, OPTION_ROUTING_KEY}, run_tail, NULL, "read",
     "Copies of the messages that an exchange routes, each a line of JSON, until Ctrl-C"},
    {"report", "", {0}, run_report, NULL, NEEDS_ADMIN, "All that is asked for first when somebody needs help; it has no passwords"},
};
/* clang-format on */
const struct area diagnostics_area = AREA("Diagnostics", commands);
