/* Export and import of definitions. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "ctl/api/api.h"
#include "ctl/api/problems.h"
#include "ctl/command/command.h"
#include "leveret/base/text.h"

/* Bytes of a file of definitions; of a longer one the rest is not read, so that it is no valid
 * JSON. */
#define FILE_BYTES_MAX ((size_t)512 << 20)

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

static enum outcome run_export(struct session *session)
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

static enum outcome run_import(struct session *session)
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
    problems_complain(answer, "left_out", "left_out_more", "left out");
    if (value_get(answer, "left_out") && option_given(session->options, OPTION_STRICT))
        outcome = OUTCOME_LEFT_OUT;
    value_free(&answer);
    return outcome;
}

/* clang-format off */
static const struct command commands[] = {
    {"export_definitions", "[FILE]", {0}, run_export, NULL, NEEDS_ADMIN,
     "Users, virtual hosts, permissions, policies, exchanges, queues and bindings as JSON"},
    {"import_definitions", "[FILE]", {OPTION_STRICT}, run_import, NULL, NEEDS_ADMIN,
     "Create what such a file (or standard input) describes; says what was left out"},
};
/* clang-format on */
const struct area definitions_area = AREA("Definitions", commands);
