/* All options together.
 *
 * Normal course: defaults, then the file, then LEVERETCTL_…, then the command line. Since the
 * command line names the file, it is parsed first and applied last. What can go wrong: a source has
 * a bad value; the first is told in one line. */
#include "ctl/options/options.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "ctl/options/line.h"
#include "ctl/options/settings.h"
#include "ctl/options/target.h"
#include "ctl/output/complain.h"
#include "leveret/base/mem.h"

static bool read_file(struct options *options)
{
    char home_path[4096];
    const char *path = option_text(options, OPTION_CONFIG), *home = getenv("HOME");
    if (!path)
        path = getenv("LEVERETCTL_CONFIG");
    if (path)
        return config_read(options, path, true);
    if (!home ||
        (size_t)snprintf(home_path, sizeof home_path, "%s/.leveretctl", home) >= sizeof home_path)
        return true;
    return config_read(options, home_path, false);
}

static bool read_password_file(struct options *options, const char *path)
{
    bool input = strcmp(path, "-") == 0;
    FILE *file = input ? stdin : fopen(path, "re");
    char *line = NULL;
    size_t room = 0;
    ssize_t len = file ? getline(&line, &room, file) : -1;
    if (len >= 0) {
        line[strcspn(line, "\r\n")] = '\0';
        setting_replace(&options->password, line);
        options->named = true;
    } else {
        complain("%s: no password can be read from it", path);
    }
    free(line);
    if (file && !input)
        fclose(file);
    return len >= 0;
}

/* Applies the settings of the command line, and overwrites passwords in it, which ps shows. */
static bool put_into_force(struct options *options, const struct line *line)
{
    bool good = true;
    for (size_t i = 0; i < option_table_rows && good; i++) {
        const struct option_row *row = &option_table[i];
        char *value = line->set[row->id];
        const char *wrong = value ? options_set(options, row->setting, value) : NULL;
        if (wrong)
            complain("--%s: %s", row->name, wrong);
        good = !wrong;
        if (value && (row->id == OPTION_PASSWORD || row->id == OPTION_URI))
            memset(value, '*', strlen(value));
    }
    return good;
}

/* A node of rabbitmqctl's is NAME@HOST. Its host must be where the requests go: this machine, if
 * nothing else was said. */
static bool node_fits(const struct options *options)
{
    const char *at = options->node ? strchr(options->node, '@') : NULL;
    char own[256] = "";
    if (!at || strcasecmp(at + 1, options->host) == 0)
        return true;
    bool local = strcmp(options->host, "localhost") == 0 ||
                 strcmp(options->host, "127.0.0.1") == 0 || strcmp(options->host, "::1") == 0;
    gethostname(own, sizeof own - 1);
    size_t len = strcspn(at + 1, ".");
    bool same = len == strcspn(own, ".") && strncasecmp(at + 1, own, len) == 0;
    if (local && (same || strcasecmp(at + 1, "localhost") == 0))
        return true;
    complain("--node %s is not on %s (name the host by --host)", options->node, options->host);
    return false;
}

bool options_read(struct options *options, const struct options_reader *reader, int argc,
                  char **argv)
{
    struct line line = {0};
    *options = (struct options){.timeout_s = OPTIONS_TIMEOUT_S};
    options->args = mem_need((size_t)argc * sizeof *options->args + 1);
    options->reader = reader;
    options->rabbitmqctl = reader->rabbitmqctl;
    settings_default(options);
    if (!line_parse(options, &line, reader, argc, argv))
        return false;
    if (option_given(options, OPTION_HELP) || option_given(options, OPTION_VERSION))
        return true;
    if (!read_file(options) || !settings_from_environment(options) ||
        !put_into_force(options, &line))
        return false;
    settings_finish(options);
    const char *password_file = option_text(options, OPTION_PASSWORD_FILE);
    return node_fits(options) && (!password_file || read_password_file(options, password_file)) &&
           target_choose(options);
}

void options_free(struct options *options)
{
    free(options->host);
    free(options->port);
    free(options->user);
    if (options->password)
        explicit_bzero(options->password, strlen(options->password));
    free(options->password);
    free(options->vhost);
    free(options->scheme);
    free(options->prefix);
    free(options->tls.cacert);
    free(options->tls.cert);
    free(options->tls.key);
    free(options->socket);
    free(options->data_dir);
    free(options->node);
    for (size_t i = 0; i < OPTION_IDS; i++)
        free(options->value[i].pairs.at);
    free(options->args);
}
