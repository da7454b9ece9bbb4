/* ~/.leveretctl: lines key = value, the keys are the names of the long options. */
#include <errno.h>
#include <ini.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "ctl/options/settings.h"
#include "ctl/output/complain.h"

struct reading {
    struct options *options;
    char wrong[200]; /* describes the first bad line */
    bool password;
};

static int line_seen(void *context, const char *section, const char *name, const char *value)
{
    struct reading *reading = context;
    const char *wrong = *section ? "there are no sections here"
                                 : options_set(reading->options, name, value ? value : "");
    if (strcmp(name, "password") == 0)
        reading->password = true;
    if (wrong && !*reading->wrong)
        snprintf(reading->wrong, sizeof reading->wrong, "%.60s: %s", name, wrong);
    return !wrong;
}

bool config_read(struct options *options, const char *path, bool needed)
{
    struct reading reading = {.options = options};
    struct stat about;
    FILE *file = fopen(path, "re");
    if (!file && errno == ENOENT && !needed)
        return true;
    if (!file) {
        complain("%s: %s", path, strerror(errno));
        return false;
    }
    /* inih's options are global variables of the library, which only this file uses. Comments
     * behind a value are off, because a password may contain their first character. */
    static char none[] = "";
    ini_inline_comment_prefixes = none;
    int line = ini_parse_file(file, line_seen, &reading);
    bool open = fstat(fileno(file), &about) == 0 && (about.st_mode & (S_IRGRP | S_IROTH));
    fclose(file);
    if (line < 0)
        complain("%s: cannot be read", path);
    else if (line > 0)
        complain("%s:%d: %s", path, line,
                 *reading.wrong ? reading.wrong : "not of the form key = value");
    else if (reading.password && open)
        complain("warning: %s holds a password and others may read it", path);
    return line == 0;
}

struct each {
    void (*see)(void *context, const char *key, const char *value);
    void *context;
};

static int pass_line(void *context, const char *section, const char *name, const char *value)
{
    const struct each *each = context;
    if (!*section && value)
        each->see(each->context, name, value);
    return 1;
}

void config_each(const char *path, void (*see)(void *context, const char *key, const char *value),
                 void *context)
{
    struct each each = {see, context};
    (void)ini_parse(path, pass_line, &each);
}
