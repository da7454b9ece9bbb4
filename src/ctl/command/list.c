/* The commands list_….
 *
 * Normal course: the columns are checked, one request asks for them, a row for each object. The
 * list is not asked for in pages: the broker gathers and sorts everything for each page, so that
 * 100,000 queues take a minute in pages of 500 and a second in one answer, which it writes in
 * slices between its other work. Also, objects that change between two pages would be shown twice
 * or not at all. What can go wrong: a column does not exist, which is told with those that do. */
#include <stdlib.h>
#include <string.h>

#include "ctl/api/api.h"
#include "ctl/api/http.h"
#include "ctl/api/node_name.h"
#include "ctl/command/command.h"
#include "ctl/command/list_kinds.h"
#include "ctl/output/rows.h"
#include "leveret/base/mem.h"
#include "leveret/base/nearest.h"

#define COLUMNS_MAX 63 /* number of columns that the API accepts; more are refused */

struct listing {
    struct session *session;
    const struct list_kind *kind;
    bool all;            /* true when it lists all virtual hosts */
    const char *subject; /* replaces the "*" in the path; NULL: there is none */
    struct column columns[COLUMNS_MAX];
    size_t count;
    bool none; /* true when nothing that is there is wanted: queues that are offline */
};

/* ---- Columns. */

static bool see_nearest(const char *name, void *context)
{
    nearest_consider(context, name);
    return true;
}

static bool see_name(const char *name, void *context)
{
    struct text *names = context;
    text_printf(names, "%s%s", names->len ? ", " : "", name);
    return true;
}

static void complain_column(const struct listing *l, const char *name)
{
    struct nearest nearest;
    struct text names = {0};
    nearest_begin(&nearest, name);
    list_kind_columns(l->kind, see_nearest, &nearest);
    list_kind_columns(l->kind, see_name, &names);
    complain("%s has no column '%s'%s%s%s; there are: %.*s", l->session->command->name, name,
             *nearest.found ? " (did you mean " : "", nearest.found, *nearest.found ? "?)" : "",
             BYTES_PRINT(text_bytes(&names)));
    text_free(&names);
}

static bool add_column(struct listing *l, const char *name)
{
    const char *path = list_kind_path(l->kind, name);
    if (!path) {
        complain_column(l, name);
        return false;
    }
    if (l->count == COLUMNS_MAX) {
        complain("more than %d columns", COLUMNS_MAX);
        return false;
    }
    l->columns[l->count++] = (struct column){name, path};
    return true;
}

/* Adds the columns that a text names, separated by blanks or, as rabbitmqctl allows, by commas. The
 * text is cut up. */
static bool add_columns(struct listing *l, char *names)
{
    char *rest = NULL;
    for (char *name = strtok_r(names, ", ", &rest); name; name = strtok_r(NULL, ", ", &rest))
        if ((!l->all || strcmp(name, "vhost") != 0) && !add_column(l, name))
            return false;
    return true;
}

/* defaults: a copy of those of the kind, which must live as long as the listing. */
static bool choose_columns(struct listing *l, char *defaults, char **names, int count)
{
    bool good = !l->all || add_column(l, "vhost");
    if (!count)
        return good && add_columns(l, defaults);
    for (int i = 0; good && i < count; i++)
        good = add_columns(l, names[i]);
    return good;
}

/* ---- The request. */

static char *make_path(const struct listing *l)
{
    const char *const *p = l->kind->path;
    const char *part[4] = {NULL, NULL, NULL, NULL};
    struct text text = {0};
    for (size_t i = 0; i < 4 && p[i]; i++)
        part[i] = strcmp(p[i], "*") == 0 ? l->subject : p[i];
    if (!l->subject && l->kind->everywhere)
        part[0] = l->kind->everywhere, part[1] = NULL;
    char *path = api_path(part[0], part[1], part[1] ? part[2] : NULL, part[3], NULL);
    text_printf(&text, "%s", path);
    free(path);
    for (size_t i = 0; i < l->count; i++) {
        text_printf(&text, i ? "," : "?columns=");
        http_quote(&text, l->columns[i].path);
    }
    text_add(&text, "", 1);
    return (char *)text.at;
}

static enum outcome list(struct listing *l)
{
    const bool user = l->kind->reach == REACH_ARGUMENT, node = l->kind->reach == REACH_NODE;
    const struct api_request request = {
        .path = make_path(l),
        .what = !l->subject ? NULL
                : user      ? "user"
                : node      ? "node"
                            : "virtual host",
        .which = l->subject,
    };
    struct rows rows;
    struct value *items = NULL;
    enum outcome outcome = api_call(l->session, &request, &items);
    if (outcome != OUTCOME_OK)
        return outcome;
    const struct column *constant = list_kind_constant(l->kind);
    rows_begin(&rows, &l->session->options->style, l->columns, l->count, false);
    for (size_t i = 0; i < value_count(items); i++) {
        struct value *item = value_at_mutable(items, i);
        if (constant)
            value_set(item, constant->heading, value_new_text(constant->path));
        if (!l->none)
            rows_add(&rows, item);
    }
    rows_end(&rows);
    value_free(&items);
    return OUTCOME_OK;
}

/* Works out what is listed. *first is the first argument that is a column. */
static enum outcome choose_subject(struct listing *l, int *first)
{
    const struct options *o = l->session->options;
    switch (l->kind->reach) {
    case REACH_VHOST:
        l->all = option_given(o, OPTION_ALL_VHOSTS);
        l->subject = l->all ? NULL : o->vhost;
        break;
    case REACH_ANYWHERE:
        l->subject = option_given(o, OPTION_VHOST) ? o->vhost : NULL;
        break;
    case REACH_NONE:
        break;
    case REACH_ARGUMENT:
        l->subject = l->session->args[(*first)++];
        break;
    case REACH_NODE:
        l->subject = node_name(l->session);
        return l->subject ? OUTCOME_OK : l->session->failed;
    }
    return OUTCOME_OK;
}

enum outcome list_run(struct session *session, const char *kind)
{
    struct listing l = {.session = session, .kind = list_kind_find(kind)};
    l.none = option_given(session->options, OPTION_OFFLINE) &&
             !option_given(session->options, OPTION_ONLINE);
    const char *own = l.kind->rabbitmqctl_defaults;
    int first = 0;
    enum outcome outcome = choose_subject(&l, &first);
    if (outcome != OUTCOME_OK)
        return outcome;
    if (!own || !session->options->style.rabbitmqctl)
        own = l.kind->defaults;
    char *defaults = mem_need_text(own, strlen(own));
    outcome = choose_columns(&l, defaults, session->args + first, session->arg_count - first)
                  ? list(&l)
                  : OUTCOME_USAGE;
    free(defaults);
    return outcome;
}

enum outcome run_list(struct session *session)
{
    return list_run(session, session->command->detail);
}
