/* The commands list_….
 *
 * Normal course: the columns, one request for them, a row for each object. The list is not asked
 * for in pages: the broker gathers and sorts everything for each page, so that 100,000 queues take
 * a minute in pages of 500 and a second in one answer, which it writes in slices between its other
 * work. Also, objects that change between two pages would be shown twice or not at all. What can go
 * wrong: a column does not exist, which only the answer shows. */
#include <stdlib.h>
#include <string.h>

#include "ctl/api/api.h"
#include "ctl/api/http.h"
#include "ctl/command/command.h"
#include "ctl/output/rows.h"
#include "leveret/base/check.h"
#include "leveret/base/mem.h"

#define ALIASES     4
#define DEFAULTS    8
#define COLUMNS_MAX 63 /* number of columns that the API accepts; more are refused */

enum reach {
    REACH_VHOST,    /* one virtual host unless --all-vhosts says otherwise */
    REACH_ANYWHERE, /* all virtual hosts, unless --vhost was given */
    REACH_NONE,     /* the objects belong to no virtual host */
    REACH_ARGUMENT  /* those of what the first argument names */
};

static const struct kind {
    const char *name; /* the command's detail */
    enum reach reach;
    const char *path[3]; /* segments of the path; "*" stands for the virtual host or the argument */
    const char *everywhere;
    struct rows_column defaults[DEFAULTS];
    struct rows_column aliases[ALIASES]; /* rabbitmqctl's names that the API does not have */
} kinds[] = {
    {"queues",
     REACH_VHOST,
     {"queues", "*"},
     "queues",
     {{"name", "name"},
      {"messages", "messages"},
      {"messages_ready", "messages_ready"},
      {"messages_unacknowledged", "messages_unacknowledged"},
      {"consumers", "consumers"}},
     {{"message_bytes_unacked", "message_bytes_unacknowledged"}}},
    {"exchanges",
     REACH_VHOST,
     {"exchanges", "*"},
     "exchanges",
     {{"name", "name"}, {"type", "type"}, {"durable", "durable"}, {"auto_delete", "auto_delete"}},
     {{0}}},
    {"bindings",
     REACH_VHOST,
     {"bindings", "*"},
     "bindings",
     {{"source_name", "source"},
      {"destination_name", "destination"},
      {"destination_kind", "destination_type"},
      {"routing_key", "routing_key"},
      {"arguments", "arguments"}},
     {{0}}},
    {"policies",
     REACH_VHOST,
     {"policies", "*"},
     "policies",
     {{"vhost", "vhost"},
      {"name", "name"},
      {"pattern", "pattern"},
      {"apply-to", "apply-to"},
      {"definition", "definition"},
      {"priority", "priority"}},
     {{0}}},
    {"operator-policies",
     REACH_VHOST,
     {"operator-policies", "*"},
     "operator-policies",
     {{"vhost", "vhost"},
      {"name", "name"},
      {"pattern", "pattern"},
      {"apply-to", "apply-to"},
      {"definition", "definition"},
      {"priority", "priority"}},
     {{0}}},
    {"connections",
     REACH_ANYWHERE,
     {"vhosts", "*", "connections"},
     "connections",
     {{"name", "name"},
      {"user", "user"},
      {"vhost", "vhost"},
      {"state", "state"},
      {"channels", "channels"}},
     {{"send_oct", "send_oct"}}},
    {"channels",
     REACH_ANYWHERE,
     {"vhosts", "*", "channels"},
     "channels",
     {{"name", "name"},
      {"user", "user"},
      {"vhost", "vhost"},
      {"consumer_count", "consumer_count"},
      {"messages_unacknowledged", "messages_unacknowledged"},
      {"messages_unconfirmed", "messages_unconfirmed"},
      {"prefetch_count", "prefetch_count"}},
     {{"pid", "name"}, {"connection", "connection_details.name"}}},
    {"consumers",
     REACH_VHOST,
     {"consumers", "*"},
     "consumers",
     {{"queue_name", "queue.name"},
      {"channel_name", "channel_details.name"},
      {"consumer_tag", "consumer_tag"},
      {"ack_required", "ack_required"},
      {"prefetch_count", "prefetch_count"},
      {"active", "active"},
      {"arguments", "arguments"}},
     {{"channel_pid", "channel_details.name"}, {"vhost", "queue.vhost"}}},
    {"users", REACH_NONE, {"users"}, "users", {{"user", "name"}, {"tags", "tags"}}, {{0}}},
    {"vhosts",
     REACH_NONE,
     {"vhosts"},
     "vhosts",
     {{"name", "name"}, {"description", "description"}, {"messages", "messages"}},
     {{0}}},
    {"permissions",
     REACH_VHOST,
     {"vhosts", "*", "permissions"},
     "permissions",
     {{"user", "user"}, {"configure", "configure"}, {"write", "write"}, {"read", "read"}},
     {{0}}},
    {"topic_permissions",
     REACH_VHOST,
     {"vhosts", "*", "topic-permissions"},
     "topic-permissions",
     {{"user", "user"}, {"exchange", "exchange"}, {"write", "write"}, {"read", "read"}},
     {{0}}},
    {"user_topic_permissions",
     REACH_ARGUMENT,
     {"users", "*", "topic-permissions"},
     NULL,
     {{"vhost", "vhost"}, {"exchange", "exchange"}, {"write", "write"}, {"read", "read"}},
     {{0}}},
    {"vhost_limits",
     REACH_VHOST,
     {"vhost-limits", "*"},
     "vhost-limits",
     {{"max-connections", "value.max-connections"}, {"max-queues", "value.max-queues"}},
     {{0}}},
    {"user_limits",
     REACH_NONE,
     {"user-limits"},
     "user-limits",
     {{"user", "user"},
      {"max-connections", "value.max-connections"},
      {"max-channels", "value.max-channels"}},
     {{0}}},
    {"global_parameters",
     REACH_NONE,
     {"global-parameters"},
     "global-parameters",
     {{"name", "name"}, {"value", "value"}},
     {{0}}},
    {"settings",
     REACH_NONE,
     {"config", "effective"},
     NULL,
     {{"key", "key"}, {"value", "value"}, {"origin", "origin"}},
     {{0}}},
    {"user_permissions",
     REACH_ARGUMENT,
     {"users", "*", "permissions"},
     NULL,
     {{"vhost", "vhost"}, {"configure", "configure"}, {"write", "write"}, {"read", "read"}},
     {{0}}},
};

struct listing {
    struct session *session;
    const struct kind *kind;
    bool all;            /* true when it lists all virtual hosts */
    const char *subject; /* replaces the "*" in the path; NULL: there is none */
    struct rows_column *columns;
    size_t count;
    bool chosen; /* true when the user named the columns */
};

static const struct kind *find_kind(const char *name)
{
    size_t at = 0;
    while (at < sizeof kinds / sizeof *kinds && strcmp(kinds[at].name, name) != 0)
        at++;
    CHECK(at < sizeof kinds / sizeof *kinds); /* the table of commands has no other name */
    return &kinds[at];
}

/* ---- Columns. */

static const char *path_of(const struct kind *kind, const char *name)
{
    for (size_t i = 0; i < ALIASES && kind->aliases[i].heading; i++)
        if (strcmp(kind->aliases[i].heading, name) == 0)
            return kind->aliases[i].path;
    for (size_t i = 0; i < DEFAULTS && kind->defaults[i].heading; i++)
        if (strcmp(kind->defaults[i].heading, name) == 0)
            return kind->defaults[i].path;
    return name;
}

static void add_column(struct listing *l, const char *heading, const char *path)
{
    l->columns[l->count++] = (struct rows_column){heading, path};
}

/* Columns may be separated by blanks or, as rabbitmqctl allows, by commas. */
static bool choose_columns(struct listing *l, char **names, int count)
{
    l->columns = mem_need(COLUMNS_MAX * sizeof *l->columns);
    l->chosen = count > 0;
    if (l->all)
        add_column(l, "vhost", path_of(l->kind, "vhost"));
    for (size_t i = 0; !l->chosen && i < DEFAULTS && l->kind->defaults[i].heading; i++)
        add_column(l, l->kind->defaults[i].heading, l->kind->defaults[i].path);
    for (int i = 0; i < count; i++) {
        char *rest = NULL;
        for (char *name = strtok_r(names[i], ", ", &rest); name;
             name = strtok_r(NULL, ", ", &rest)) {
            if (l->count == COLUMNS_MAX) {
                complain("more than %d columns", COLUMNS_MAX);
                return false;
            }
            if (!l->all || strcmp(name, "vhost") != 0)
                add_column(l, name, path_of(l->kind, name));
        }
    }
    return true;
}

/* ---- The request. */

static char *make_path(const struct listing *l)
{
    const char *const *p = l->kind->path;
    const char *part[3] = {NULL, NULL, NULL};
    struct text text = {0};
    for (size_t i = 0; i < 3 && p[i]; i++)
        part[i] = strcmp(p[i], "*") == 0 ? l->subject : p[i];
    if (!l->subject && l->kind->everywhere)
        part[0] = l->kind->everywhere, part[1] = NULL;
    char *path = api_path(part[0], part[1], part[1] ? part[2] : NULL, NULL);
    text_printf(&text, "%s", path);
    free(path);
    for (size_t i = 0; i < l->count; i++) {
        text_printf(&text, i ? "," : "?columns=");
        http_quote(&text, l->columns[i].path);
    }
    text_add(&text, "", 1);
    return (char *)text.at;
}

/* Warns of columns that no row has: such a column may be misspelt, or a figure that no object has
 * at present. */
static void warn_of_absent(const struct listing *l, const struct value *items)
{
    for (size_t i = 0; i < l->count && value_count(items); i++) {
        size_t row = 0;
        while (row < value_count(items) && !value_get(value_at(items, row), l->columns[i].path))
            row++;
        if (row == value_count(items))
            complain("warning: nothing listed has '%s'", l->columns[i].heading);
    }
}

static enum outcome list(struct listing *l)
{
    const bool user = l->kind->reach == REACH_ARGUMENT;
    const struct api_request request = {
        .path = make_path(l),
        .what = l->subject ? (user ? "user" : "virtual host") : NULL,
        .which = l->subject,
    };
    struct rows rows;
    struct value *items = NULL;
    enum outcome outcome = api_call(l->session, &request, &items);
    if (outcome != OUTCOME_OK)
        return outcome;
    rows_begin(&rows, &l->session->options->style, l->columns, l->count, false);
    for (size_t i = 0; i < value_count(items); i++)
        rows_add(&rows, value_at(items, i));
    rows_end(&rows);
    if (l->chosen)
        warn_of_absent(l, items);
    value_free(&items);
    return OUTCOME_OK;
}

enum outcome run_list(struct session *session)
{
    const struct options *o = session->options;
    struct listing l = {.session = session, .kind = find_kind(session->command->detail)};
    int first = 0; /* the first argument that is a column */
    enum outcome outcome = OUTCOME_USAGE;
    switch (l.kind->reach) {
    case REACH_VHOST:
        l.all = option_given(o, OPTION_ALL_VHOSTS);
        l.subject = l.all ? NULL : o->vhost;
        break;
    case REACH_ANYWHERE:
        l.subject = option_given(o, OPTION_VHOST) ? o->vhost : NULL;
        break;
    case REACH_NONE:
        break;
    case REACH_ARGUMENT:
        l.subject = session->args[first++];
        break;
    }
    if (choose_columns(&l, session->args + first, session->arg_count - first))
        outcome = list(&l);
    free(l.columns);
    return outcome;
}
