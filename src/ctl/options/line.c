/* The command line, by argp.
 *
 * Normal course: each option is found in the table, its value is checked for the option's kind and
 * kept. What can go wrong: an unknown option or a bad value; the first is told in one line. */
#include "ctl/options/line.h"

#include <argp.h>
#include <string.h>

#include "ctl/output/complain.h"
#include "ctl/output/value.h"
#include "leveret/base/mem.h"
#include "leveret/base/number.h"

/* argp's key of an option without a letter: its id above all characters. */
#define KEY_BASE 256

/* The state of argp's parser. */
struct parsing {
    struct options *options;
    struct line *line;
    char wrong[256]; /* the first fault; empty: none */
};

static int key_of(const struct option_row *row)
{
    return row->letter ? row->letter : KEY_BASE + (int)row->id;
}

static void take_pair(struct parsing *parsing, struct pairs *pairs, const char *pair)
{
    const char *sign = strchr(pair, '=');
    if (!sign || sign == pair) {
        snprintf(parsing->wrong, sizeof parsing->wrong, "'%.100s' is not a NAME=VALUE", pair);
        return;
    }
    pairs->at = mem_need_array(pairs->at, pairs->count + 1, sizeof *pairs->at);
    pairs->at[pairs->count++] = pair;
}

static bool read_integer(const char *text, bool may_be_negative, int64_t *out)
{
    uint64_t number;
    bool negative = may_be_negative && *text == '-';
    if (!number_read(text + negative, INT64_MAX, &number))
        return false;
    *out = negative ? -(int64_t)number : (int64_t)number;
    return true;
}

static bool is_word(const char *words, const char *word)
{
    size_t len = strlen(word);
    for (const char *at = words; len && (at = strstr(at, word)); at += len)
        if ((at == words || at[-1] == ' ') && (at[len] == ' ' || !at[len]))
            return true;
    return false;
}

static void take_value(struct parsing *parsing, const struct option_row *row, char *text)
{
    struct option_value *value = &parsing->options->value[row->id];
    switch (row->kind) {
    case OPTION_FLAG:
        break;
    case OPTION_TEXT:
    case OPTION_FILE:
        value->text = text;
        break;
    case OPTION_WORD:
        value->text = text;
        if (!is_word(row->words, text))
            snprintf(parsing->wrong, sizeof parsing->wrong, "--%s is one of: %s", row->name,
                     row->words);
        break;
    case OPTION_NUMBER:
    case OPTION_INTEGER:
        if (!read_integer(text, row->kind == OPTION_INTEGER, &value->number))
            snprintf(parsing->wrong, sizeof parsing->wrong, "--%s: not a number", row->name);
        break;
    case OPTION_PAIR:
        take_pair(parsing, &value->pairs, text);
        break;
    }
}

static error_t parse(int key, char *value, struct argp_state *state)
{
    struct parsing *parsing = state->input;
    struct options *options = parsing->options;
    if (value && !value_text_valid(value) && !*parsing->wrong)
        snprintf(parsing->wrong, sizeof parsing->wrong, "an argument is not UTF-8");
    if (key == ARGP_KEY_ARG) {
        options->args[options->arg_count++] = value;
        return 0;
    }
    if (key == ARGP_KEY_ERROR && !*parsing->wrong && state->next > 0)
        snprintf(parsing->wrong, sizeof parsing->wrong, "unknown option or missing value: %.100s",
                 state->argv[state->next - 1]);
    for (size_t i = 0; i < option_table_rows; i++) {
        const struct option_row *row = &option_table[i];
        if (key_of(row) != key)
            continue;
        options->value[row->id].given = true;
        if (row->setting)
            parsing->line->set[row->id] = value;
        else if (!*parsing->wrong)
            take_value(parsing, row, value);
        return 0;
    }
    return ARGP_ERR_UNKNOWN;
}

bool line_parse(struct options *options, struct line *line, int argc, char **argv)
{
    struct parsing parsing = {.options = options, .line = line};
    struct argp_option *rows = mem_need((option_table_rows + 1) * sizeof *rows);
    const struct argp argp = {.options = rows, .parser = parse};
    memset(rows, 0, (option_table_rows + 1) * sizeof *rows);
    for (size_t i = 0; i < option_table_rows; i++) {
        rows[i].name = option_table[i].name;
        rows[i].key = key_of(&option_table[i]);
        rows[i].arg = option_table[i].value;
    }
    error_t error = argp_parse(&argp, argc, argv, ARGP_SILENT, NULL, &parsing);
    free(rows);
    if (error && !*parsing.wrong)
        snprintf(parsing.wrong, sizeof parsing.wrong, "the command line is wrong");
    if (*parsing.wrong)
        complain("%s (see leveretctl help)", parsing.wrong);
    return !*parsing.wrong;
}
