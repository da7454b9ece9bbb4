/* The options by area, and how help shows them. */
#include "ctl/options/option_table.h"

#include <string.h>

#define HELP_COLUMN 30 /* where help's explanations begin */

/* clang-format off */
#define SETTING(id, letter, name, value, help) {id, letter, name, OPTION_TEXT, value, name, NULL, true, help}
#define FLAG(id, letter, name, help)           {id, letter, name, OPTION_FLAG, NULL, NULL, NULL, false, help}
#define VALUE(id, letter, name, kind, value, help) {id, letter, name, kind, value, NULL, NULL, false, help}
#define WORD(id, name, value, words, help)     {id, 0, name, OPTION_WORD, value, NULL, words, false, help}

const struct option_row option_table[] = {
    SETTING(OPTION_HOST, 'H', "host", "HOST", "Where the broker's HTTP API is (localhost)"),
    SETTING(OPTION_PORT, 'P', "port", "PORT", "Its port (15672, or 15671 with TLS)"),
    SETTING(OPTION_URI, 0, "uri", "URI", "All of it: http[s]://user:password@host:port/prefix"),
    {OPTION_TLS, 0, "tls", OPTION_FLAG, NULL, "tls", NULL, true, "By TLS, as https:// in a URI"},
    {OPTION_CACERT, 0, "cacert", OPTION_FILE, "FILE", "cacert", NULL, true,
     "Trust the certificates of FILE (those of the system)"},
    {OPTION_CERT, 0, "cert", OPTION_FILE, "FILE", "cert", NULL, true, "Show this certificate to the broker"},
    {OPTION_KEY, 0, "key", OPTION_FILE, "FILE", "key", NULL, true, "Its key, when it is not in the same file"},
    {OPTION_INSECURE, 0, "insecure", OPTION_FLAG, NULL, "insecure", NULL, true,
     "Trust any certificate: whoever is in between can read the password"},
    {OPTION_SOCKET, 0, "socket", OPTION_FILE, "FILE", "socket", NULL, true,
     "The broker's control socket in place of HTTP; needs no password"},
    {OPTION_DATA_DIR, 0, "data-dir", OPTION_FILE, "DIR", "data-dir", NULL, true,
     "The broker's data directory, where the control socket is"},
    SETTING(OPTION_USER, 'U', "user", "USER", "Who logs in (guest)"),
    SETTING(OPTION_PASSWORD, 0, "password", "PASSWORD", "With this password (guest); better in a file"),
    {OPTION_PASSWORD_FILE, 0, "password-file", OPTION_FILE, "FILE", NULL, NULL, true,
     "With the password in FILE's first line; - is standard input"},
    {OPTION_FORMAT, 'f', "format", OPTION_WORD, "FORMAT", "format", "table pretty_table tsv csv json json_stream", true,
     "table (aligned columns), pretty_table, tsv, csv, json or json_stream"},
    {OPTION_FORMATTER, 0, "formatter", OPTION_WORD, "FORMAT", "formatter", "table pretty_table csv json json_stream", true,
     "The same with the output of rabbitmqctl, byte for byte"},
    {OPTION_QUIET, 'q', "quiet", OPTION_FLAG, NULL, NULL, NULL, true, "No line of headings; as rabbitmqctl: no line on what is done"},
    {OPTION_SILENT, 's', "silent", OPTION_FLAG, NULL, NULL, NULL, true, "Neither of these lines"},
    {OPTION_NO_TABLE_HEADERS, 0, "no-table-headers", OPTION_FLAG, NULL, NULL, NULL, true, "No line of headings"},
    SETTING(OPTION_NODE, 'n', "node", "NODE", "For scripts of rabbitmqctl: the node, whose host must be --host's"),
    {OPTION_LONGNAMES, 'l', "longnames", OPTION_FLAG, NULL, NULL, NULL, true, "For scripts of rabbitmqctl: changes nothing"},
    SETTING(OPTION_TIMEOUT, 't', "timeout", "SECONDS", "How long to wait for an answer (60); 0 is forever"),
    {OPTION_CONFIG, 0, "config", OPTION_FILE, "FILE", NULL, NULL, true, "Settings from FILE, not ~/.leveretctl"},
    {OPTION_HELP, 'h', "help", OPTION_FLAG, NULL, NULL, NULL, true, "Explain the command, or list all"},
    {OPTION_VERSION, 'V', "version", OPTION_FLAG, NULL, NULL, NULL, true, "Print the version"},

    /* Where. */
    {OPTION_VHOST, 'p', "vhost", OPTION_TEXT, "VHOST", "vhost", NULL, false, "In this virtual host (/)"},
    FLAG(OPTION_ALL_VHOSTS, 'A', "all-vhosts", "In all virtual hosts"),

    FLAG(OPTION_ONLINE, 0, "online", "Only queues that can be used"),
    FLAG(OPTION_OFFLINE, 0, "offline", "Only queues that cannot be used"),
    FLAG(OPTION_LOCAL, 0, "local", "Only queues of this node, which are all"),

    /* Queues, exchanges, bindings. */
    FLAG(OPTION_TRANSIENT, 0, "transient", "Gone when the broker restarts; otherwise durable"),
    FLAG(OPTION_AUTO_DELETE, 0, "auto-delete", "Deleted when it is no longer in use"),
    FLAG(OPTION_INTERNAL, 0, "internal", "No client may publish to it"),
    VALUE(OPTION_ARGUMENT, 'a', "argument", OPTION_PAIR, "NAME=VALUE", "An argument; digits make a number, NAME:=JSON anything"),
    FLAG(OPTION_IF_EMPTY, 'e', "if-empty", "Only when it has no messages"),
    FLAG(OPTION_IF_UNUSED, 'u', "if-unused", "Only when nothing uses it"),
    FLAG(OPTION_TO_EXCHANGE, 0, "to-exchange", "The destination is an exchange, not a queue"),

    /* Messages. */
    VALUE(OPTION_PROPERTY, 0, "property", OPTION_PAIR, "NAME=VALUE", "A property, such as content_type=text/plain"),
    VALUE(OPTION_HEADER, 0, "header", OPTION_PAIR, "NAME=VALUE", "A header; values as with --argument"),
    FLAG(OPTION_PERSISTENT, 0, "persistent", "Kept on disk in durable queues (delivery_mode=2)"),
    VALUE(OPTION_COUNT, 'c', "count", OPTION_NUMBER, "N", "At most N messages (1)"),
    WORD(OPTION_ACK_MODE, "ack-mode", "MODE", "requeue ack reject", "requeue (back to their places), ack or reject"),
    FLAG(OPTION_RAW, 0, "raw", "The bodies as they are, and nothing else"),
    VALUE(OPTION_OFFSET, 0, "offset", OPTION_NUMBER, "N", "Skip N messages (0)"),
    VALUE(OPTION_FROM, 0, "from", OPTION_TEXT, "WHERE", "head, tail (the newest first), or a message's id"),
    WORD(OPTION_STATE, "state", "STATE", "ready unacked dying all", "ready (the default), unacked, dying or all"),
    FLAG(OPTION_UNACKED, 0, "unacked", "Those that consumers have: --state=unacked"),
    VALUE(OPTION_EXCHANGE, 0, "exchange", OPTION_TEXT, "EXCHANGE", "To this exchange, not to a queue"),
    VALUE(OPTION_ROUTING_KEY, 0, "routing-key", OPTION_TEXT, "ROUTING_KEY", "A routing key: in place of each message's own; for tail a pattern (#)"),
    WORD(OPTION_TO, "to", "WHERE", "source exchange", "source (the queue they died in) or exchange (and keys)"),
    VALUE(OPTION_RATE, 0, "rate", OPTION_NUMBER, "N", "At most N messages a second"),
    FLAG(OPTION_RESTORE_EXPIRATION, 0, "restore-expiration", "Dead letters get their expiration again"),
    FLAG(OPTION_DRY_RUN, 0, "dry-run", "Count what would be done, and do nothing"),
    FLAG(OPTION_NO_WAIT, 0, "no-wait", "Begin it, and do not wait for its end"),

    /* Users, queues. */
    VALUE(OPTION_TAGS, 0, "tags", OPTION_TEXT, "TAG[,TAG]", "With these tags"),
    VALUE(OPTION_PRE_HASHED, 0, "pre-hashed-password", OPTION_TEXT, "HASH", "With a password that hash_password has hashed"),
    VALUE(OPTION_PATTERN, 0, "pattern", OPTION_TEXT, "REGEX", "Those whose names match the regular expression"),
    FLAG(OPTION_TRACING, 0, "tracing", "Its messages are traced"),

    /* The node. */
    VALUE(OPTION_LINES, 'N', "number", OPTION_NUMBER, "N", "The last N lines (50)"),
    VALUE(OPTION_WITHIN, 0, "within", OPTION_NUMBER, "N", "Within N units of time (4)"),
    WORD(OPTION_UNIT, "unit", "UNIT", "days weeks months years", "days, weeks (the default), months or years"),
    VALUE(OPTION_PID, 0, "pid", OPTION_NUMBER, "N", "The process with this number"),
    VALUE(OPTION_LIMIT, 0, "limit", OPTION_NUMBER, "N", "At most N connections"),
    VALUE(OPTION_DELAY, 0, "per-connection-delay", OPTION_NUMBER, "MS", "Milliseconds between two of them"),

    /* Policies and virtual hosts. */
    VALUE(OPTION_DESCRIPTION, 0, "description", OPTION_TEXT, "TEXT", "What it is for"),
    VALUE(OPTION_DEFAULT_QUEUE_TYPE, 0, "default-queue-type", OPTION_TEXT, "TYPE",
          "classic or quorum: what a durable queue is whose declaration does not say"),
    VALUE(OPTION_PRIORITY, 0, "priority", OPTION_INTEGER, "N", "The policy with the highest one applies (0)"),
    VALUE(OPTION_APPLY_TO, 0, "apply-to", OPTION_TEXT, "WHAT",
          "all (the default), queues, classic_queues, quorum_queues, streams or exchanges"),

    /* Definitions. */
    FLAG(OPTION_STRICT, 0, "strict", "End with 5 when something was left out"),
};
/* clang-format on */
const size_t option_table_rows = sizeof option_table / sizeof *option_table;

const char *option_name(enum option_id id)
{
    for (size_t i = 0; i < option_table_rows; i++)
        if (option_table[i].id == id)
            return option_table[i].name;
    return "";
}

static void print_row(FILE *out, const struct option_row *row)
{
    char left[64];
    char letter = row->letter ? row->letter : ' ';
    int len = snprintf(left, sizeof left, "  %c%c%c --%s%s%s", row->letter ? '-' : ' ', letter,
                       row->letter ? ',' : ' ', row->name, row->value ? "=" : "",
                       row->value ? row->value : "");
    fprintf(out, "%s%*s%s\n", left, len < HELP_COLUMN ? HELP_COLUMN - len : 1, "", row->help);
}

void option_help(FILE *out, const unsigned char *ids)
{
    for (size_t i = 0; i < option_table_rows; i++) {
        const struct option_row *row = &option_table[i];
        const unsigned char *id = ids;
        while (id && *id != OPTION_NONE && *id != row->id)
            id++;
        if (ids ? *id == row->id : row->everywhere)
            print_row(out, row);
    }
}
