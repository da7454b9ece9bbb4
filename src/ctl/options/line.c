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
#include "leveret/base/nearest.h"
#include "leveret/base/number.h"

/* argp's key of an option without a letter: its id above all characters. */
#define KEY_BASE 256

/* The state of argp's parser. */
struct parsing {
    struct options *options;
    struct line *line;
    const char *command;       /* NULL: the line has none */
    const unsigned char *rows; /* what it takes; NULL: there is no such command */
    char wrong[256];           /* the first fault; empty: none */
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

/* ---- Which options there are. */

static bool takes(const unsigned char *ids, enum option_id id)
{
    while (*ids != OPTION_NONE && *ids != id)
        ids++;
    return *ids == id;
}

static const struct option_row *find_long(const char *name, size_t len)
{
    for (size_t i = 0; i < option_table_rows; i++)
        if (strncmp(option_table[i].name, name, len) == 0 && !option_table[i].name[len])
            return &option_table[i];
    return NULL;
}

/* All rows with the same letter have a value, or none has. */
static const struct option_row *find_letter(char letter)
{
    for (size_t i = 0; i < option_table_rows; i++)
        if (option_table[i].letter == letter)
            return &option_table[i];
    return NULL;
}

/* Whether the option in this word takes the next word as its value. */
static bool has_value_behind(const char *word)
{
    const struct option_row *row;
    if (word[1] == '-') {
        size_t len = strcspn(word + 2, "=");
        row = find_long(word + 2, len);
        return row && row->value && !word[2 + len];
    }
    for (word++; *word; word++) {
        row = find_letter(*word);
        if (row && row->value)
            return !word[1];
    }
    return false;
}

/* The first word that is no option and no option's value, or NULL. */
static const char *find_command(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--") == 0)
            return i + 1 < argc ? argv[i + 1] : NULL;
        if (argv[i][0] != '-' || !argv[i][1])
            return argv[i];
        i += has_value_behind(argv[i]);
    }
    return NULL;
}

static void complain_option(struct parsing *parsing, const char *word)
{
    struct nearest nearest;
    size_t len = strcspn(word, "=");
    char name[64];
    snprintf(name, sizeof name, "%.*s", (int)len, word);
    bool is_long = strncmp(name, "--", 2) == 0;
    const struct option_row *known = is_long ? find_long(name + 2, strlen(name + 2))
                                     : name[0] == '-' && name[1] ? find_letter(name[1])
                                                                 : NULL;
    /* Without a command that exists, a letter of some command's option means nothing. */
    if (known && !is_long && !known->everywhere && !parsing->rows)
        known = NULL;
    if (known && !known->everywhere && parsing->rows && !takes(parsing->rows, known->id)) {
        snprintf(parsing->wrong, sizeof parsing->wrong, "%.40s takes no --%s", parsing->command,
                 known->name);
        return;
    }
    nearest_begin(&nearest, is_long ? name + 2 : name);
    for (size_t i = 0; is_long && !known && i < option_table_rows; i++)
        nearest_consider(&nearest, option_table[i].name);
    snprintf(parsing->wrong, sizeof parsing->wrong, "%s %s%s%s%s",
             known ? "no value for" : "unknown option", known ? name : word,
             *nearest.found ? "; did you mean --" : "", nearest.found, *nearest.found ? "?" : "");
}

/* Whether the line may have the option. A line whose command does not exist may have all, so that
 * the command is what is complained of. */
static bool offered(const struct parsing *parsing, const struct option_row *row)
{
    return row->everywhere || (parsing->rows ? takes(parsing->rows, row->id) : !row->letter);
}

/* ---- argp. */

static error_t parse(int key, char *value, struct argp_state *state)
{
    static char on[] = "true"; /* the value of a setting that is given as a flag */
    struct parsing *parsing = state->input;
    struct options *options = parsing->options;
    if (value && !value_text_valid(value) && !*parsing->wrong)
        snprintf(parsing->wrong, sizeof parsing->wrong, "an argument is not UTF-8");
    if (key == ARGP_KEY_ARG) {
        options->args[options->arg_count++] = value;
        return 0;
    }
    if (key == ARGP_KEY_ERROR && !*parsing->wrong && state->next > 0)
        complain_option(parsing, state->argv[state->next - 1]);
    for (size_t i = 0; i < option_table_rows; i++) {
        const struct option_row *row = &option_table[i];
        if (key_of(row) != key || !offered(parsing, row))
            continue;
        options->value[row->id].given = true;
        if (row->setting)
            parsing->line->set[row->id] = value ? value : on;
        else if (value && !*parsing->wrong)
            take_value(parsing, row, value);
        return 0;
    }
    return ARGP_ERR_UNKNOWN;
}

bool line_parse(struct options *options, struct line *line, const struct options_reader *reader,
                int argc, char **argv)
{
    struct parsing parsing = {.options = options, .line = line};
    struct argp_option *rows = mem_need((option_table_rows + 1) * sizeof *rows);
    const struct argp argp = {.options = rows, .parser = parse};
    size_t count = 0;
    parsing.command = find_command(argc, argv);
    parsing.rows = parsing.command ? reader->takes(parsing.command) : NULL;
    for (size_t i = 0; i < option_table_rows; i++) {
        const struct option_row *row = &option_table[i];
        if (offered(&parsing, row))
            rows[count++] =
                (struct argp_option){.name = row->name, .key = key_of(row), .arg = row->value};
    }
    error_t error = argp_parse(&argp, argc, argv, ARGP_SILENT, NULL, &parsing);
    free(rows);
    if (error && !*parsing.wrong)
        snprintf(parsing.wrong, sizeof parsing.wrong, "the command line is wrong");
    if (*parsing.wrong)
        complain("%s (see leveretctl help)", parsing.wrong);
    return !*parsing.wrong;
}
