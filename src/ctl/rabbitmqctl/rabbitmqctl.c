/* Standing in for rabbitmqctl: names, lines with values in them, exit codes. */
#include "ctl/rabbitmqctl/rabbitmqctl.h"

#include <string.h>

#include "ctl/output/escape.h"
#include "ctl/output/value.h"

bool rabbitmqctl_is_name(const char *program)
{
    return strncmp(program, "rabbitmq", strlen("rabbitmq")) == 0;
}

const char *rabbitmqctl_translate(const char *program, const char *name)
{
    static const char *const plugins[][2] = {{"list", "list_plugins"},
                                             {"enable", "enable_plugin"},
                                             {"disable", "disable_plugin"},
                                             {"is_enabled", "plugin_is_enabled"},
                                             {"set", "set_plugins"}};
    if (strcmp(program, "rabbitmq-plugins") != 0)
        return name;
    for (size_t i = 0; i < sizeof plugins / sizeof *plugins; i++)
        if (strcmp(plugins[i][0], name) == 0)
            return plugins[i][1];
    return name;
}

/* The value of a name in braces; rest is room for one that is put together. */
static const char *value_of(const char *name, size_t len, const struct options *o, const char *node,
                            struct text *made)
{
    int number = len == 1 && *name >= '1' && *name <= '9' ? *name - '0' : 0;
    if (number)
        return number < o->arg_count ? o->args[number] : "";
    if (strncmp(name, "vhost", len) == 0)
        return o->vhost;
    if (strncmp(name, "node", len) == 0)
        return node ? node : "";
    if (strncmp(name, "pattern", len) == 0)
        return o->arg_count > 1 ? o->args[1] : ".*";
    if (strncmp(name, "priority", len) == 0)
        text_printf(made, "%lld", (long long)option_number(o, OPTION_PRIORITY, 0));
    else if (strncmp(name, "within", len) == 0)
        text_printf(made, "%lld %s", (long long)option_number(o, OPTION_WITHIN, 4),
                    option_given(o, OPTION_UNIT) ? option_text(o, OPTION_UNIT) : "weeks");
    else if (strncmp(name, "timeout", len) == 0)
        text_printf(made, "%ld", o->timeout_s);
    for (int i = 2; strncmp(name, "rest", len) == 0 && i < o->arg_count; i++)
        text_printf(made, "%s%s", i > 2 ? ", " : "", o->args[i]);
    text_add(made, "", 1);
    return (const char *)made->at;
}

/* Adds the pattern with its values. */
static void fill_in(const char *pattern, const struct options *options, const char *node,
                    struct text *out)
{
    for (const char *at = pattern; *at;) {
        size_t plain = strcspn(at, "{"), len;
        struct text made = {0};
        text_add(out, at, plain);
        at += plain;
        if (!*at)
            return;
        len = strcspn(++at, "}");
        escape_for_terminal(out, bytes_of_text(value_of(at, len, options, node, &made)));
        text_free(&made);
        at += len + 1;
    }
}

bool rabbitmqctl_needs_node(const char *pattern)
{
    return pattern && strstr(pattern, "{node}");
}

void rabbitmqctl_print(const char *pattern, const struct options *options, const char *node)
{
    struct text line = {0};
    fill_in(pattern, options, node, &line);
    printf("%.*s\n", BYTES_PRINT(text_bytes(&line)));
    text_free(&line);
}

static void print_json(const char *message, const struct options *options, const char *node)
{
    struct value *answer = value_new_map();
    if (message) {
        struct text line = {0};
        fill_in(message, options, node, &line);
        text_add(&line, "", 1);
        value_set(answer, "message", value_new_text((const char *)line.at));
        text_free(&line);
    }
    if (node)
        value_set(answer, "node", value_new_text(node));
    value_set(answer, message ? "status" : "result", value_new_text("ok"));
    value_print(answer, false, stdout);
    putchar('\n');
    value_free(&answer);
}

void rabbitmqctl_print_done(const struct rabbitmqctl_words *words, const struct options *options,
                            const char *node)
{
    if (words->when == DONE_NOTHING)
        return;
    if (style_is_json(&options->style))
        print_json(words->done, options, node);
    else if (words->done && !(words->when == DONE_LOUD && options_are_quiet(options)) &&
             !(words->when == DONE_QUIET && options_are_silent(options)))
        rabbitmqctl_print(words->done, options, node);
}

int rabbitmqctl_exit_code(enum outcome outcome)
{
    static const int codes[] = {
#define X(name, own, rabbitmqctl) rabbitmqctl,
        OUTCOMES(X)
#undef X
    };
    return codes[outcome];
}
