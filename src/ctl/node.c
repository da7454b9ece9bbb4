/* The broker as a whole: status, checks, connections, definitions. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "api.h"
#include "command.h"
#include "leveret/base/account.h"
#include "rows.h"

/* Bytes of a file of definitions; of a longer one the rest is not read, so that it is no valid
 * JSON. */
#define FILE_BYTES_MAX ((size_t)512 << 20)

static const struct rows_column status_lines[] = {
    {"product", "overview.product_name"},
    {"version", "overview.product_version"},
    {"node", "overview.node"},
    {"cluster", "overview.cluster_name"},
    {"pid", "node.os_pid"},
    {"uptime_ms", "node.uptime"},
    {"connections", "overview.object_totals.connections"},
    {"channels", "overview.object_totals.channels"},
    {"consumers", "overview.object_totals.consumers"},
    {"exchanges", "overview.object_totals.exchanges"},
    {"queues", "overview.object_totals.queues"},
    {"messages", "overview.queue_totals.messages"},
    {"messages_ready", "overview.queue_totals.messages_ready"},
    {"messages_unacknowledged", "overview.queue_totals.messages_unacknowledged"},
    {"published_per_s", "overview.message_stats.publish_details.rate"},
    {"delivered_per_s", "overview.message_stats.deliver_get_details.rate"},
    {"memory_bytes", "node.mem_used"},
    {"memory_bytes_max", "node.mem_limit"},
    {"memory_alarm", "node.mem_alarm"},
#define X(kind, name, share, what) {"memory." name, "memory." name},
    ACCOUNT_KINDS(X)
#undef X
        {"disk_free_bytes", "node.disk_free"},
    {"disk_free_bytes_min", "node.disk_free_limit"},
    {"disk_alarm", "node.disk_free_alarm"},
    {"files_open", "node.fd_used"},
    {"files_open_max", "node.fd_total"},
    {"listeners", "listeners"},
};

/* The listeners as text: "amqp [::]:5672, http [::]:15672". */
static struct value *listeners(const struct value *list)
{
    struct text text = {0};
    for (size_t i = 0; i < value_count(list); i++) {
        const struct value *l = value_at(list, i);
        const char *address = value_text(value_get(l, "ip_address"));
        bool v6 = address && strchr(address, ':');
        text_printf(&text, "%s", i ? ", " : "");
        value_show(value_get(l, "protocol"), &text);
        text_printf(&text, " %s%s%s:", v6 ? "[" : "", address ? address : "", v6 ? "]" : "");
        value_show(value_get(l, "port"), &text);
    }
    text_add(&text, "", 1);
    struct value *made = value_new_text((const char *)text.at);
    text_free(&text);
    return made;
}

enum outcome run_status(struct session *session)
{
    const struct options *o = session->options;
    const struct api_request overview = {.path = api_path("overview", NULL)};
    struct value *about = NULL, *nodes = NULL, *memory = NULL;
    enum outcome outcome = api_call(session, &overview, &about);
    if (outcome != OUTCOME_OK)
        return outcome;
    /* Only users with the tag monitoring are shown listeners and may ask for the nodes. */
    if (value_get(about, "listeners")) {
        const struct api_request all = {.path = api_path("nodes", NULL)};
        outcome = api_call(session, &all, &nodes);
        const char *node = value_text(value_get(value_at(nodes, 0), "name"));
        const struct api_request kinds = {.path =
                                              api_path("nodes", node ? node : "", "memory", NULL)};
        if (outcome == OUTCOME_OK)
            outcome = api_call(session, &kinds, &memory);
        else
            free(kinds.path);
    }
    if (outcome == OUTCOME_OK) {
        struct value *both = value_new_map();
        value_set(both, "overview", value_copy(about));
        if (value_at(nodes, 0))
            value_set(both, "node", value_copy(value_at(nodes, 0)));
        if (value_get(memory, "memory"))
            value_set(both, "memory", value_copy(value_get(memory, "memory")));
        if (o->format != FORMAT_JSON && value_get(about, "listeners"))
            value_set(both, "listeners", listeners(value_get(about, "listeners")));
        rows_print_one(o, status_lines, sizeof status_lines / sizeof *status_lines, both);
        value_free(&both);
    }
    value_free(&about);
    value_free(&nodes);
    value_free(&memory);
    return outcome;
}

enum outcome run_whoami(struct session *session)
{
    static const struct rows_column lines[] = {{"name", "name"}, {"tags", "tags"}};
    const struct api_request request = {.path = api_path("whoami", NULL)};
    struct value *answer = NULL;
    enum outcome outcome = api_call(session, &request, &answer);
    if (outcome == OUTCOME_OK)
        rows_print_one(session->options, lines, 2, answer);
    value_free(&answer);
    return outcome;
}

enum outcome run_check(struct session *session)
{
    const struct api_request request = {
        .path =
            api_path("health", "checks", session->command->detail, session_arg(session, 0), NULL)};
    return api_call(session, &request, NULL);
}

/* ---- Connections. */

static enum outcome close_connections(struct session *s, char *path, const char *what)
{
    struct text header = {0};
    text_printf(&header, "X-Reason: %s%c", s->args[1], 0);
    /* A line end in the text would begin another header. */
    for (size_t i = 0; i + 1 < header.len; i++)
        if (header.at[i] < 0x20)
            header.at[i] = ' ';
    const struct api_request request = {.method = "DELETE",
                                        .path = path,
                                        .header = (const char *)header.at,
                                        .what = what,
                                        .which = s->args[0]};
    enum outcome outcome = api_call(s, &request, NULL);
    text_free(&header);
    return outcome;
}

enum outcome run_close_connection(struct session *session)
{
    return close_connections(session, api_path("connections", session->args[0], NULL),
                             "connection");
}

enum outcome run_close_user_connections(struct session *session)
{
    return close_connections(session, api_path("connections", "username", session->args[0], NULL),
                             "user");
}

/* ---- Definitions. */

/* Opens a file; NULL or "-" is the standard stream. */
static FILE *open_file(const char *name, const char *mode, FILE *standard)
{
    FILE *file = name && strcmp(name, "-") != 0 ? fopen(name, mode) : standard;
    if (!file)
        complain("%s: %s", name, strerror(errno));
    return file;
}

static bool close_file(FILE *file, FILE *standard)
{
    bool good = !ferror(file);
    return (file == standard ? fflush(file) == 0 : fclose(file) == 0) && good;
}

enum outcome run_export(struct session *session)
{
    const struct api_request request = {.path = api_path("definitions", NULL)};
    const char *name = session_arg(session, 0);
    struct value *definitions = NULL;
    enum outcome outcome = api_call(session, &request, &definitions);
    if (outcome != OUTCOME_OK)
        return outcome;
    /* The definitions contain hashes of passwords, so only the owner may read a new file. */
    umask(S_IRWXG | S_IRWXO);
    FILE *file = open_file(name, "we", stdout);
    if (file) {
        value_print(definitions, true, file);
        fputc('\n', file);
    }
    if (!file || !close_file(file, stdout)) {
        if (file)
            complain("%s: %s", name ? name : "standard output", strerror(errno));
        outcome = OUTCOME_LOCAL;
    }
    value_free(&definitions);
    return outcome;
}

/* Some editors write a byte order mark before the text. */
static struct bytes without_mark(struct bytes text)
{
    static const uint8_t mark[] = {0xef, 0xbb, 0xbf};
    if (text.len < sizeof mark || memcmp(text.at, mark, sizeof mark) != 0)
        return text;
    return bytes_of(text.at + sizeof mark, text.len - sizeof mark);
}

enum outcome run_import(struct session *session)
{
    const char *name = session_arg(session, 0);
    struct text input = {0};
    FILE *file = open_file(name, "re", stdin);
    size_t got = 0;
    if (!file)
        return OUTCOME_LOCAL;
    do {
        got = fread(text_reserve(&input, 65536), 1, 65536, file);
        input.len += got;
    } while (got && input.len <= FILE_BYTES_MAX);
    bool good = close_file(file, stdin);
    struct value *definitions = good ? value_parse(without_mark(text_bytes(&input))) : NULL;
    text_free(&input);
    if (!good)
        complain("%s: %s", name ? name : "standard input", strerror(errno));
    else if (!definitions)
        complain("%s: not JSON", name ? name : "standard input");
    if (!definitions)
        return OUTCOME_LOCAL;
    const struct api_request request = {
        .method = "POST", .path = api_path("definitions", NULL), .body = definitions};
    struct value *answer = NULL;
    enum outcome outcome = api_call(session, &request, &answer);
    const char *passed = value_text(value_get(answer, "passed_over"));
    if (passed)
        complain("passed over: %s", passed);
    value_free(&answer);
    return outcome;
}
