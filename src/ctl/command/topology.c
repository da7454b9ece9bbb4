/* Exchanges, queues and bindings. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/api/api.h"
#include "ctl/api/http.h"
#include "ctl/command/command.h"
#include "ctl/options/pairs.h"
#include "leveret/base/mem.h"

/* The members that declarations of queues and exchanges share. Returns NULL after printing an
 * error, when an argument is wrong. */
static struct value *definition(struct session *s)
{
    struct value *arguments = pairs_typed(option_pairs(s->options, OPTION_ARGUMENT));
    if (!arguments)
        return NULL;
    struct value *body = value_new_map();
    value_set(body, "durable", value_new_bool(!option_given(s->options, OPTION_TRANSIENT)));
    value_set(body, "auto_delete", value_new_bool(option_given(s->options, OPTION_AUTO_DELETE)));
    value_set(body, "arguments", arguments);
    return body;
}

static enum outcome declare(struct session *s, const char *kind, struct value *body)
{
    const char *vhost = s->options->vhost;
    const struct api_request request = {.method = "PUT",
                                        .path = api_path(kind, vhost, s->args[0], NULL),
                                        .body = body,
                                        .what = "virtual host",
                                        .which = vhost};
    return api_call(s, &request, NULL);
}

static enum outcome run_declare_queue(struct session *session)
{
    struct value *body = definition(session);
    return body ? declare(session, "queues", body) : OUTCOME_USAGE;
}

static enum outcome run_declare_exchange(struct session *session)
{
    struct value *body = definition(session);
    if (!body)
        return OUTCOME_USAGE;
    value_set(body, "type", value_new_text(session->args[1]));
    value_set(body, "internal", value_new_bool(option_given(session->options, OPTION_INTERNAL)));
    return declare(session, "exchanges", body);
}

static enum outcome delete_one(struct session *s, const char *kind, const char *below,
                               const char *what)
{
    const char *name = s->args[0];
    struct text path = {0};
    char *plain = api_path(kind, s->options->vhost, name, below, NULL);
    text_printf(&path, "%s?%s%s", plain,
                option_given(s->options, OPTION_IF_EMPTY) ? "if-empty=true&" : "",
                option_given(s->options, OPTION_IF_UNUSED) ? "if-unused=true" : "");
    text_add(&path, "", 1);
    free(plain);
    const struct api_request request = {
        .method = "DELETE", .path = (char *)path.at, .what = what, .which = name, .in_vhost = true};
    return api_call(s, &request, NULL);
}

static enum outcome run_delete_queue(struct session *session)
{
    return delete_one(session, "queues", NULL, "queue");
}

static enum outcome run_delete_exchange(struct session *session)
{
    return delete_one(session, "exchanges", NULL, "exchange");
}

/* Queues that a page has at most; the API's limit. */
#define PAGE_ROWS 500

/* Appends the names of the queues that match to the list. The API looks at a name only in pages. */
static enum outcome find_matching(struct session *s, const char *pattern, struct value *names)
{
    enum outcome outcome = OUTCOME_OK;
    double pages = 1;
    for (int page = 1; outcome == OUTCOME_OK && page <= pages; page++) {
        struct text path = {0};
        struct value *answer = NULL;
        char *plain = api_path("queues", s->options->vhost, NULL);
        text_printf(&path, "%s?columns=name&page=%d&page_size=%d&use_regex=true&name=", plain, page,
                    PAGE_ROWS);
        http_quote(&path, pattern);
        text_add(&path, "", 1);
        free(plain);
        const struct api_request request = {
            .path = (char *)path.at, .what = "virtual host", .which = s->options->vhost};
        outcome = api_call(s, &request, &answer);
        const struct value *items = value_get(answer, "items");
        for (size_t i = 0; i < value_count(items); i++)
            value_append(names, value_copy(value_get(value_at(items, i), "name")));
        pages = value_number(value_get(answer, "page_count"));
        value_free(&answer);
    }
    return outcome;
}

/* Deletes the queues whose names match, and prints each. */
static enum outcome run_delete_queues(struct session *session)
{
    const struct options *o = session->options;
    const char *pattern = option_text(o, OPTION_PATTERN);
    if (!pattern) {
        complain("say which by --pattern");
        return OUTCOME_USAGE;
    }
    struct value *names = value_new_list();
    enum outcome outcome = find_matching(session, pattern, names);
    for (size_t i = 0; outcome == OUTCOME_OK && i < value_count(names); i++) {
        const char *name = value_text(value_at(names, i));
        struct text one = {0};
        if (!name)
            continue;
        char *plain = api_path("queues", o->vhost, name, NULL);
        text_printf(&one, "%s?%s%s%c", plain,
                    option_given(o, OPTION_IF_EMPTY) ? "if-empty=true&" : "",
                    option_given(o, OPTION_IF_UNUSED) ? "if-unused=true" : "", 0);
        free(plain);
        const struct api_request request = {
            .method = "DELETE", .path = (char *)one.at, .may_miss = true};
        outcome = api_call(session, &request, NULL);
        if (outcome == OUTCOME_OK)
            printf("%s\n", name);
    }
    value_free(&names);
    return outcome;
}

static enum outcome run_purge_queue(struct session *session)
{
    return delete_one(session, "queues", "contents", "queue");
}

/* ---- Bindings. */

static char *between(const struct session *s, const char *properties_key)
{
    return api_path("bindings", s->options->vhost, "e", s->args[0],
                    option_given(s->options, OPTION_TO_EXCHANGE) ? "e" : "q", s->args[1],
                    properties_key, NULL);
}

static enum outcome run_bind(struct session *session)
{
    const char *key = session_arg(session, 2);
    struct value *arguments = pairs_typed(option_pairs(session->options, OPTION_ARGUMENT)), *body;
    if (!arguments)
        return OUTCOME_USAGE;
    body = value_new_map();
    value_set(body, "routing_key", value_new_text(key ? key : ""));
    value_set(body, "arguments", arguments);
    const struct api_request request = {.method = "POST",
                                        .path = between(session, NULL),
                                        .body = body,
                                        .what = "exchange, or no such destination, for",
                                        .which = session->args[0],
                                        .in_vhost = true};
    return api_call(session, &request, NULL);
}

/* The API's name of the binding, which the caller frees. NULL: there is no such binding. */
static char *find_binding(const struct value *bindings, const char *key,
                          const struct value *arguments)
{
    for (size_t i = 0; i < value_count(bindings); i++) {
        const struct value *binding = value_at(bindings, i);
        const char *name = value_text(value_get(binding, "properties_key"));
        if (name && bytes_equal_text(value_bytes(value_get(binding, "routing_key")), key) &&
            value_equal(value_get(binding, "arguments"), arguments))
            return mem_need_text(name, strlen(name));
    }
    return NULL;
}

static enum outcome run_unbind(struct session *session)
{
    const char *key = session_arg(session, 2) ? session_arg(session, 2) : "";
    struct value *arguments = pairs_typed(option_pairs(session->options, OPTION_ARGUMENT)),
                 *bindings = NULL;
    char *name = NULL;
    if (!arguments)
        return OUTCOME_USAGE;
    const struct api_request list = {.path = between(session, NULL),
                                     .what = "exchange, or no such destination, for",
                                     .which = session->args[0],
                                     .in_vhost = true};
    enum outcome outcome = api_call(session, &list, &bindings);
    if (outcome == OUTCOME_OK && !(name = find_binding(bindings, key, arguments))) {
        complain("'%s' is not bound to '%s' with key '%s' and these arguments", session->args[1],
                 session->args[0], key);
        outcome = OUTCOME_NO_OBJECT;
    }
    if (outcome == OUTCOME_OK) {
        const struct api_request request = {.method = "DELETE", .path = between(session, name)};
        outcome = api_call(session, &request, NULL);
    }
    free(name);
    value_free(&bindings);
    value_free(&arguments);
    return outcome;
}

/* clang-format off */
static const struct command commands[] = {
    {"list_queues", "[COLUMN...]", {OPTION_VHOST, OPTION_ALL_VHOSTS, OPTION_ONLINE, OPTION_OFFLINE, OPTION_LOCAL}, run_list, "queues", NEEDS_ANY,
     "Queues and their messages"},
    {"declare_queue", "QUEUE", {OPTION_VHOST, OPTION_TRANSIENT, OPTION_AUTO_DELETE, OPTION_ARGUMENT}, run_declare_queue, NULL, "configure",
     "Create a queue"},
    {"delete_queue", "QUEUE", {OPTION_VHOST, OPTION_IF_EMPTY, OPTION_IF_UNUSED}, run_delete_queue, NULL, "configure",
     "Delete a queue with its messages"},
    {"delete_queues", "", {OPTION_VHOST, OPTION_PATTERN, OPTION_IF_EMPTY, OPTION_IF_UNUSED}, run_delete_queues, NULL, "configure",
     "Delete the queues whose names match --pattern, and print their names"},
    {"purge_queue", "QUEUE", {OPTION_VHOST}, run_purge_queue, NULL, "read",
     "Drop the messages that are ready in a queue"},
    {"list_exchanges", "[COLUMN...]", {OPTION_VHOST, OPTION_ALL_VHOSTS}, run_list, "exchanges", NEEDS_ANY,
     "Exchanges"},
    {"declare_exchange", "EXCHANGE TYPE", {OPTION_VHOST, OPTION_TRANSIENT, OPTION_AUTO_DELETE, OPTION_INTERNAL, OPTION_ARGUMENT}, run_declare_exchange, NULL, "configure",
     "Create an exchange: direct, fanout, topic or headers"},
    {"delete_exchange", "EXCHANGE", {OPTION_VHOST, OPTION_IF_UNUSED}, run_delete_exchange, NULL, "configure",
     "Delete an exchange"},
    {"list_bindings", "[COLUMN...]", {OPTION_VHOST, OPTION_ALL_VHOSTS}, run_list, "bindings", NEEDS_ANY,
     "Bindings"},
    {"bind", "EXCHANGE QUEUE [ROUTING_KEY]", {OPTION_VHOST, OPTION_TO_EXCHANGE, OPTION_ARGUMENT}, run_bind, NULL, "read on the exchange, write on the destination",
     "Bind a queue (or an exchange) to an exchange"},
    {"unbind", "EXCHANGE QUEUE [ROUTING_KEY]", {OPTION_VHOST, OPTION_TO_EXCHANGE, OPTION_ARGUMENT}, run_unbind, NULL, "read on the exchange, write on the destination",
     "Remove the binding with this key and these arguments"},
};
/* clang-format on */
const struct area topology_area = AREA("Queues, exchanges, bindings", commands);
