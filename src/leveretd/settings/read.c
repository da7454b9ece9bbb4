/* Reads settings from files and the command line. The only user of inih.
 *
 * What can go wrong: a line that is not `key = value`, an unknown key, a malformed value, a feature
 * that is missing. Each adds a line with file and line number to the report, and reading goes on,
 * so that all errors are seen. */
#include <ctype.h>
#include <errno.h>
#include <ini.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "leveret/base/check.h"
#include "leveret/base/folder.h"
#include "leveret/base/mem.h"
#include "leveret/base/random.h"
#include "leveretd/settings/foreign.h"
#include "leveretd/settings/key_name.h"
#include "leveretd/settings/key_types.h"
#include "leveretd/settings/keys.h"
#include "leveretd/settings/origin.h"

/* Bytes of a line of a file; a longer one is an error. */
#define LINE_LEN_MAX 4000
/* How RabbitMQ marks a value that its own tools have encrypted. */
#define ENCRYPTED "encrypted:"

/* ---- One assignment. */

/* The value of a secret that cannot be read is one that nobody knows: neither the default, nor the
 * text of the file, may open anything. */
static void set_unknown_secret(struct settings *settings, const char *name)
{
    char value[2 * 16 + 1], *why;
    random_hex(value, 16);
    enum status status = keys_set(settings, name, value, &why);
    CHECK(status == STATUS_OK);
}

static void take_own(struct settings *settings, const struct key *key, const char *where,
                     const char *name, const char *rest, const char *value, struct report *report)
{
    char *why = NULL;
    if (key_is_secret(key) && strncmp(value, ENCRYPTED, strlen(ENCRYPTED)) == 0) {
        report_add(
            report, FINDING_MISSING,
            "%s: %s is encrypted, and Leveret cannot decrypt it; nobody knows the value that "
            "is used instead",
            where, name);
        set_unknown_secret(settings, name);
    } else if (keys_set(settings, name, value, &why) != STATUS_OK) {
        report_add(report, FINDING_ERROR, "%s: %s %s", where, name, why);
        free(why);
        return;
    }
    origin_put(settings, key, rest, where);
}

static void take_foreign(const struct foreign_key *foreign, const char *where, const char *name,
                         const char *value, struct report *report)
{
    if (foreign_is_missing(foreign, value))
        report_add(report, FINDING_MISSING, "%s: %s: Leveret does not have this: %s", where, name,
                   foreign->why);
    else if (!foreign->missing)
        report_add(report, FINDING_NEEDLESS, "%s: %s has no effect: %s", where, name, foreign->why);
}

void settings_take(struct settings *settings, const char *where, const char *name,
                   const char *value, struct report *report)
{
    const char *rest;
    const struct key *key = keys_find(name, &rest);
    const struct foreign_key *foreign = key ? NULL : foreign_find(name);
    if (key) {
        take_own(settings, key, where, name, rest, value, report);
    } else if (foreign) {
        take_foreign(foreign, where, name, value, report);
    } else {
        char *nearest = key_name_nearest(name);
        report_add(report, FINDING_ERROR, "%s: unknown key '%s'%s%s%s", where, name,
                   nearest ? "; did you mean " : "", nearest ? nearest : "", nearest ? "?" : "");
        free(nearest);
    }
    report->lenient = settings->lenient;
}

/* ---- Files. */

struct settings_line {
    struct settings *settings;
    struct report *report;
    const char *where; /* "file:line" */
    bool seen;
};

static int assignment_seen(void *context, const char *section, const char *name, const char *value)
{
    struct settings_line *line = context;
    (void)section;
    line->seen = true;
    settings_take(line->settings, line->where, name, value, line->report);
    return 1;
}

/* A value in single quotes is taken as it stands, # included. Takes it, or returns false when the
 * value is not quoted. */
static bool read_quoted(const struct settings_line *line, const char *text)
{
    const char *equals = strchr(text, '=');
    size_t name = strspn(text, " \t"), end;
    if (!equals || text[name] == '#')
        return false;
    const char *value = equals + 1 + strspn(equals + 1, " \t");
    for (end = strlen(value); end && isspace((unsigned char)value[end - 1]); end--)
        ;
    if (end < 2 || value[0] != '\'' || value[end - 1] != '\'')
        return false;
    size_t name_len = (size_t)(equals - text) - name;
    while (name_len && isspace((unsigned char)text[name + name_len - 1]))
        name_len--;
    char *key = mem_need_text(text + name, name_len);
    char *inner = mem_need_text(value + 1, end - 2);
    settings_take(line->settings, line->where, key, inner, line->report);
    free(key);
    free(inner);
    return true;
}

/* inih gets one line at a time, so that each error has its line number and one error does not hide
 * the next. */
static void read_line(struct settings *settings, const char *where, const char *text,
                      struct report *report)
{
    struct settings_line line = {settings, report, where, false};
    const char *first = text + strspn(text, " \t\r\n\xef\xbb\xbf");

    if (strlen(text) > LINE_LEN_MAX) {
        report_add(report, FINDING_ERROR, "%s: the line is longer than %d bytes", where,
                   LINE_LEN_MAX);
        return;
    }
    if (read_quoted(&line, first) ||
        (ini_parse_string(text, assignment_seen, &line) == 0 && line.seen))
        return;
    if (*first && *first != '#' && *first != ';')
        report_add(report, FINDING_ERROR, "%s: not of the form key = value", where);
}

static void read_file(struct settings *settings, const char *path, struct report *report)
{
    static char comment_prefixes[] = "#";
    char *line = NULL;
    size_t room = 0;

    /* inih's options are global variables of the library, which only this file uses. */
    ini_use_stack = false;
    ini_allow_realloc = true;
    ini_max_line = LINE_LEN_MAX + 8;
    ini_inline_comment_prefixes = comment_prefixes;

    FILE *file = fopen(path, "re");
    if (!file) {
        report_add(report, FINDING_ERROR, "%s: %s", path, strerror(errno));
        return;
    }
    for (unsigned number = 1; getline(&line, &room, file) >= 0; number++) {
        char where[300];
        snprintf(where, sizeof where, "%.280s:%u", path, number);
        read_line(settings, where, line, report);
    }
    if (ferror(file))
        report_add(report, FINDING_ERROR, "%s: %s", path, strerror(errno));
    free(line);
    fclose(file);
}

/* ---- Folders. */

struct folder_reading {
    struct settings *settings;
    struct report *report;
};

static void read_entry(void *context, const char *path)
{
    const struct folder_reading *reading = context;
    read_file(reading->settings, path, reading->report);
}

static void read_folder(struct settings *settings, const char *path, struct report *report)
{
    struct folder_reading reading = {settings, report};
    if (folder_each(path, ".conf", read_entry, &reading) != STATUS_OK)
        report_add(report, FINDING_ERROR, "%s: %s", path, strerror(errno));
}

void settings_read_path(struct settings *settings, const char *path, struct report *report)
{
    struct stat info;
    if (stat(path, &info) == 0 && S_ISDIR(info.st_mode))
        read_folder(settings, path, report);
    else
        read_file(settings, path, report);
}

/* ---- The command line. */

void settings_read_assignment(struct settings *settings, const char *assignment,
                              struct report *report)
{
    const char *equals = strchr(assignment, '=');
    if (!equals || equals == assignment) {
        report_add(report, FINDING_ERROR, "--set: '%s' is not of the form key=value", assignment);
        return;
    }
    size_t key_len = (size_t)(equals - assignment);
    while (key_len && assignment[key_len - 1] == ' ')
        key_len--;
    char *key = mem_need_text(assignment, key_len);
    settings_take(settings, "--set", key, equals + 1 + strspn(equals + 1, " "), report);
    free(key);
}
