/* The table of commands, help, and the choice of what to run. */
#include "command.h"

#include <stdio.h>
#include <string.h>

#include "http.h"

#define ANY         "any user with a tag"
#define MONITOR     "monitoring"
#define ADMIN       "administrator"
#define POLICYMAKER "policymaker"

/* clang-format off */
static const struct command commands[] = {
    {.help = "The broker"},
    {"status", "", 0, 0, 0, run_status, NULL, ANY, "What the broker is and how it does"},
    {"environment", "", 0, 0, 0, run_list, "settings", ADMIN, "The configuration in effect, and where each value came from"},
    {"whoami", "", 0, 0, 0, run_whoami, NULL, ANY, "Who logged in, and with which tags"},
    {"check_running", "", 0, 0, 0, run_check, "is-in-service", ANY, "Whether it serves clients"},
    {"check_alarms", "", 0, 0, 0, run_check, "alarms", ANY, "Whether memory and disk are as they should be"},
    {"check_virtual_hosts", "", 0, 0, 0, run_check, "virtual-hosts", ANY, "Whether all virtual hosts work"},
    {"check_port_listener", "PORT", 1, 1, 0, run_check, "port-listener", ANY, "Whether it listens on a port"},
    {"export_definitions", "[FILE]", 0, 1, 0, run_export, NULL, ADMIN,
     "Users, virtual hosts, permissions, policies, exchanges, queues and bindings as JSON"},
    {"import_definitions", "[FILE]", 0, 1, 0, run_import, NULL, ADMIN,
     "Create what such a file (or standard input) describes"},

    {.help = "Queues, exchanges, bindings"},
    {"list_queues", "[COLUMN...]", 0, -1, TAKES_VHOST | TAKES_ALL, run_list, "queues", ANY, "Queues and their messages"},
    {"declare_queue", "QUEUE", 1, 1, TAKES_VHOST | TAKES_TRANSIENT | TAKES_AUTO_DELETE | TAKES_ARGUMENT,
     run_declare_queue, NULL, "configure", "Create a queue"},
    {"delete_queue", "QUEUE", 1, 1, TAKES_VHOST | TAKES_IF_EMPTY | TAKES_IF_UNUSED, run_delete_queue, NULL,
     "configure", "Delete a queue with its messages"},
    {"purge_queue", "QUEUE", 1, 1, TAKES_VHOST, run_purge_queue, NULL, "read", "Drop the messages that are ready in a queue"},
    {"list_exchanges", "[COLUMN...]", 0, -1, TAKES_VHOST | TAKES_ALL, run_list, "exchanges", ANY, "Exchanges"},
    {"declare_exchange", "EXCHANGE TYPE", 2, 2,
     TAKES_VHOST | TAKES_TRANSIENT | TAKES_AUTO_DELETE | TAKES_INTERNAL | TAKES_ARGUMENT, run_declare_exchange, NULL,
     "configure", "Create an exchange: direct, fanout, topic or headers"},
    {"delete_exchange", "EXCHANGE", 1, 1, TAKES_VHOST | TAKES_IF_UNUSED, run_delete_exchange, NULL, "configure", "Delete an exchange"},
    {"list_bindings", "[COLUMN...]", 0, -1, TAKES_VHOST | TAKES_ALL, run_list, "bindings", ANY, "Bindings"},
    {"bind", "EXCHANGE QUEUE [ROUTING_KEY]", 2, 3, TAKES_VHOST | TAKES_TO_EXCHANGE | TAKES_ARGUMENT, run_bind, NULL,
     "read on the exchange, write on the destination", "Bind a queue (or an exchange) to an exchange"},
    {"unbind", "EXCHANGE QUEUE [ROUTING_KEY]", 2, 3, TAKES_VHOST | TAKES_TO_EXCHANGE | TAKES_ARGUMENT, run_unbind, NULL,
     "read on the exchange, write on the destination", "Remove the binding with this key and these arguments"},

    {.help = "Policies"},
    {"list_policies", "[COLUMN...]", 0, -1, TAKES_VHOST | TAKES_ALL, run_list, "policies", ANY, "Policies"},
    {"set_policy", "NAME PATTERN DEFINITION", 3, 3, TAKES_VHOST | TAKES_PRIORITY | TAKES_APPLY_TO, run_set_policy, "policies",
     POLICYMAKER, "Set what applies to queues and exchanges whose names match: '{\"max-length\": 1000}'"},
    {"clear_policy", "NAME", 1, 1, TAKES_VHOST, run_clear_policy, "policies", POLICYMAKER, "Take a policy away"},
    {"list_operator_policies", "[COLUMN...]", 0, -1, TAKES_VHOST | TAKES_ALL, run_list, "operator-policies", ANY,
     "Operator policies"},
    {"set_operator_policy", "NAME PATTERN DEFINITION", 3, 3, TAKES_VHOST | TAKES_PRIORITY | TAKES_APPLY_TO, run_set_policy,
     "operator-policies", ADMIN, "Set limits that neither arguments nor policies exceed: '{\"max-length\": 1000}'"},
    {"clear_operator_policy", "NAME", 1, 1, TAKES_VHOST, run_clear_policy, "operator-policies", ADMIN,
     "Take an operator policy away"},

    {.help = "Global parameters"},
    {"list_global_parameters", "[COLUMN...]", 0, -1, 0, run_list, "global_parameters", POLICYMAKER,
     "Values that are kept by name for the whole broker"},
    {"set_global_parameter", "NAME VALUE", 2, 2, 0, run_set_global_parameter, NULL, POLICYMAKER,
     "Keep a value of JSON by this name: cluster_tags '{\"region\": \"eu\"}'"},
    {"clear_global_parameter", "NAME", 1, 1, 0, run_clear_global_parameter, NULL, POLICYMAKER, "Forget a global parameter"},
    {"set_cluster_name", "NAME", 1, 1, 0, run_set_cluster_name, NULL, ADMIN, "Name the cluster, as clients and metrics are told it"},

    {.help = "Messages"},
    {"publish", "EXCHANGE ROUTING_KEY [BODY]", 2, 3, TAKES_VHOST | TAKES_PROPERTY | TAKES_HEADER | TAKES_PERSISTENT,
     run_publish, NULL, "write", "Publish a message and wait for its confirm; without BODY its body is standard input.\n"
     "The default exchange is '' or amq.default. Ends with 1 when no queue takes it"},
    {"get", "QUEUE", 1, 1, TAKES_VHOST | TAKES_COUNT | TAKES_ACK_MODE | TAKES_RAW, run_get, NULL, "read",
     "Take messages from a queue and show them; they go back unless --ack-mode says otherwise"},

    {.help = "Clients"},
    {"list_connections", "[COLUMN...]", 0, -1, TAKES_VHOST, run_list, "connections", ANY, "Connections"},
    {"list_channels", "[COLUMN...]", 0, -1, TAKES_VHOST, run_list, "channels", ANY, "Channels"},
    {"list_consumers", "[COLUMN...]", 0, -1, TAKES_VHOST | TAKES_ALL, run_list, "consumers", ANY, "Consumers"},
    {"close_connection", "NAME REASON", 2, 2, 0, run_close_connection, NULL, "one's own connections; all: administrator",
     "Close the connection that list_connections name shows so"},
    {"close_all_user_connections", "USER REASON", 2, 2, 0, run_close_user_connections, NULL,
     "one's own connections; all: administrator", "Close all connections of a user"},

    {.help = "Users and virtual hosts"},
    {"list_users", "[COLUMN...]", 0, -1, 0, run_list, "users", ADMIN, "Users and their tags"},
    {"add_user", "USER [PASSWORD]", 1, 2, 0, run_add_user, NULL, ADMIN,
     "Create a user; without PASSWORD it is the first line of standard input"},
    {"delete_user", "USER", 1, 1, 0, run_delete_user, NULL, ADMIN, "Delete a user"},
    {"change_password", "USER [PASSWORD]", 1, 2, 0, run_change_password, NULL, ADMIN,
     "Give a user another password; without PASSWORD it is the first line of standard input"},
    {"authenticate_user", "USER [PASSWORD]", 1, 2, 0, run_authenticate, NULL, "anybody", "Try a user's password"},
    {"set_user_tags", "USER [TAG...]", 1, -1, 0, run_set_user_tags, NULL, ADMIN,
     "Give a user these tags and no others: administrator, monitoring, policymaker, management, impersonator"},
    {"list_permissions", "[COLUMN...]", 0, -1, TAKES_VHOST | TAKES_ALL, run_list, "permissions", ADMIN, "Who may do what in a virtual host"},
    {"list_user_permissions", "USER [COLUMN...]", 1, -1, 0, run_list, "user_permissions", ADMIN, "What a user may do where"},
    {"set_permissions", "USER CONFIGURE WRITE READ", 4, 4, TAKES_VHOST, run_set_permissions, NULL, ADMIN,
     "Let a user configure, write and read what these regular expressions match"},
    {"clear_permissions", "USER", 1, 1, TAKES_VHOST, run_clear_permissions, NULL, ADMIN, "Take a user's permissions away"},
    {"list_vhosts", "[COLUMN...]", 0, -1, 0, run_list, "vhosts", ANY, "Virtual hosts"},
    {"add_vhost", "VHOST", 1, 1, TAKES_DESCRIPTION | TAKES_QUEUE_TYPE, run_add_vhost, NULL, ADMIN, "Create a virtual host"},
    {"update_vhost_metadata", "VHOST", 1, 1, TAKES_DESCRIPTION | TAKES_QUEUE_TYPE, run_update_vhost, NULL, ADMIN,
     "Change what is known of a virtual host"},
    {"enable_vhost_deletion_protection", "VHOST", 1, 1, 0, run_protect_vhost, NULL, ADMIN,
     "Have delete_vhost refused for a virtual host"},
    {"disable_vhost_deletion_protection", "VHOST", 1, 1, 0, run_unprotect_vhost, NULL, ADMIN, "Allow delete_vhost again"},
    {"delete_vhost", "VHOST", 1, 1, 0, run_delete_vhost, NULL, ADMIN, "Delete a virtual host with all that is in it"},
    {"restart_vhost", "", 0, 0, TAKES_VHOST, run_restart_vhost, NULL, ADMIN, "Try again to open a virtual host that is down"},
    {"list_vhost_limits", "[COLUMN...]", 0, -1, TAKES_VHOST | TAKES_ALL, run_list, "vhost_limits", ANY, "Limits of virtual hosts"},
    {"set_vm_memory_high_watermark", "FRACTION | absolute VALUE", 1, 2, 0, run_set_memory_watermark, NULL, ADMIN,
     "Block publishers above so much memory, until the next start: 0.4, absolute 2GB"},
    {"set_disk_free_limit", "VALUE | mem_relative FRACTION", 1, 2, 0, run_set_disk_free_limit, NULL, ADMIN,
     "Block publishers below so much free disk, until the next start: 2GB, mem_relative 1.0"},
    {"set_vhost_limits", "LIMITS", 1, 1, TAKES_VHOST, run_set_vhost_limits, NULL, ADMIN,
     "Limit a virtual host: '{\"max-connections\": 100, \"max-queues\": 1000}'; negative: no limit"},
    {"clear_vhost_limits", "", 0, 0, TAKES_VHOST, run_clear_vhost_limits, NULL, ADMIN, "Take the limits of a virtual host away"},
    {"list_user_limits", "[COLUMN...]", 0, -1, 0, run_list, "user_limits", ADMIN, "Limits of users"},
    {"set_user_limits", "USER LIMITS", 2, 2, 0, run_set_user_limits, NULL, ADMIN,
     "Limit a user: '{\"max-connections\": 10, \"max-channels\": 100}'; negative: no limit"},
    {"clear_user_limits", "USER LIMIT", 2, 2, 0, run_clear_user_limits, NULL, ADMIN, "Take a limit of a user away, or all"},
    {"trace_on", "", 0, 0, TAKES_VHOST, run_trace_on, NULL, ADMIN,
     "Tell what is published and delivered in a virtual host to its exchange amq.rabbitmq.trace"},
    {"trace_off", "", 0, 0, TAKES_VHOST, run_trace_off, NULL, ADMIN, "End that"},
};
/* clang-format on */
#define COMMAND_COUNT (sizeof commands / sizeof *commands)

static const struct command *find(const char *name)
{
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        if (commands[i].name && strcmp(commands[i].name, name) == 0)
            return &commands[i];
    complain("there is no command %s (see leveretctl help)", name);
    return NULL;
}

static size_t first_line(const char *text)
{
    return strcspn(text, "\n");
}

/* For programs, such as the completion of a shell: no headings between the commands. */
static void list_plainly(enum table_format format, bool quiet)
{
    static const char *const headings[] = {"command", "arguments", "help"};
    struct table *table = table_new(stdout, format, 3, quiet ? NULL : headings);
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        if (!commands[i].name)
            continue;
        table_cell(table, bytes_of_text(commands[i].name));
        table_cell(table, bytes_of_text(commands[i].arguments));
        table_cell(table, bytes_of(commands[i].help, first_line(commands[i].help)));
    }
    table_end(&table);
}

static void list_all(void)
{
    printf("leveretctl [OPTION...] COMMAND [ARGUMENT...]\n"
           "Looks after a Leveret broker by its HTTP API. leveretctl help COMMAND explains one.\n");
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        const struct command *c = &commands[i];
        if (!c->name) {
            printf("\n%s:\n", c->help);
            continue;
        }
        int len = (int)(strlen(c->name) + strlen(c->arguments)) + 3;
        printf("  %s %s%*s%.*s\n", c->name, c->arguments, len < 45 ? 45 - len : 2, "",
               (int)first_line(c->help), c->help);
    }
    printf("\nOptions of all commands:\n");
    options_help(stdout, 0);
    printf("\nSettings also come from LEVERETCTL_HOST, _PORT, _USER, _PASSWORD, _VHOST, _FORMAT,\n"
           "_QUIET and _TIMEOUT, and from lines such as \"user = eve\" in ~/.leveretctl.\n"
           "Ends with 0; 1: the broker refused; 2: wrong usage; 3: no answer; 4: trouble with a\n"
           "file here.\n");
}

enum outcome command_help(const struct options *options, const char *name)
{
    const struct command *c = name ? find(name) : NULL;
    if (name && !c)
        return OUTCOME_USAGE;
    if (!name) {
        if (options->format == FORMAT_TSV)
            list_plainly(FORMAT_TSV, options->quiet);
        else
            list_all();
        return OUTCOME_OK;
    }
    printf("leveretctl%s %s %s\n\n%s.\nAllowed to: %s.\n", c->takes ? " [OPTION...]" : "", c->name,
           c->arguments, c->help, c->needs);
    if (c->takes) {
        printf("\nOptions:\n");
        options_help(stdout, c->takes);
    }
    printf("\nleveretctl help lists the options of all commands.\n");
    return OUTCOME_OK;
}

static bool fits(const struct options *options, const struct command *command)
{
    int count = options->arg_count - 1;
    unsigned strange = options->given & ~command->takes;
    if (strange)
        complain("%s takes no --%s", command->name, options_name(strange));
    else if (count < command->min || (command->max >= 0 && count > command->max))
        complain("%s takes %s%s", command->name, command->max ? "" : "no arguments",
                 command->arguments);
    else
        return true;
    return false;
}

enum outcome command_run(const struct options *options)
{
    const struct http_target target = {options->host, options->port, options->user,
                                       options->password, options->timeout_s};
    const char *name = options->args[0];
    if (strcmp(name, "help") == 0)
        return command_help(options, options->arg_count > 1 ? options->args[1] : NULL);
    const struct command *command = find(name);
    if (!command)
        return OUTCOME_USAGE;
    if (options->help)
        return command_help(options, name);
    if (!fits(options, command))
        return OUTCOME_USAGE;
    struct session session = {
        .options = options,
        .command = command,
        .http = http_new(&target),
        .args = options->args + 1,
        .arg_count = options->arg_count - 1,
    };
    if (!session.http) {
        complain("the HTTP library does not start");
        return OUTCOME_LOCAL;
    }
    enum outcome outcome = command->run(&session);
    http_free(&session.http);
    return outcome;
}
