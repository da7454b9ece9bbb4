/* The broker as a whole: status and checks. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/api/api.h"
#include "ctl/command/command.h"
#include "ctl/output/rows.h"
#include "leveret/base/account.h"

static const struct column status_lines[] = {
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
#define X(kind, name, share, what) {"memory." name, "counted." name},
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

static enum outcome run_status(struct session *session)
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
        if (value_get(memory, "counted"))
            value_set(both, "counted", value_copy(value_get(memory, "counted")));
        if (!style_is_json(&o->style) && value_get(about, "listeners"))
            value_set(both, "listeners", listeners(value_get(about, "listeners")));
        rows_print_one(&o->style, status_lines, sizeof status_lines / sizeof *status_lines, both);
        value_free(&both);
    }
    value_free(&about);
    value_free(&nodes);
    value_free(&memory);
    return outcome;
}

static enum outcome run_whoami(struct session *session)
{
    static const struct column lines[] = {{"name", "name"}, {"tags", "tags"}};
    const struct api_request request = {.path = api_path("whoami", NULL)};
    struct value *answer = NULL;
    enum outcome outcome = api_call(session, &request, &answer);
    if (outcome == OUTCOME_OK)
        rows_print_one(&session->options->style, lines, 2, answer);
    value_free(&answer);
    return outcome;
}

static enum outcome run_check(struct session *session)
{
    const struct api_request request = {
        .path =
            api_path("health", "checks", session->command->detail, session_arg(session, 0), NULL)};
    return api_call(session, &request, NULL);
}

/* clang-format off */
static const struct command commands[] = {
    {"status", "", {0}, run_status, NULL, NEEDS_ANY,
     "What the broker is and how it does"},
    {"whoami", "", {0}, run_whoami, NULL, NEEDS_ANY,
     "Who logged in, and with which tags"},
    {"check_running", "", {0}, run_check, "is-in-service", NEEDS_ANY,
     "Whether it serves clients"},
    {"check_alarms", "", {0}, run_check, "alarms", NEEDS_ANY,
     "Whether memory and disk are as they should be"},
    {"check_virtual_hosts", "", {0}, run_check, "virtual-hosts", NEEDS_ANY,
     "Whether all virtual hosts work"},
    {"check_port_listener", "PORT", {0}, run_check, "port-listener", NEEDS_ANY,
     "Whether it listens on a port"},
};
/* clang-format on */
const struct area broker_area = AREA("The broker", commands);
