/* The log as the settings want it. The only user of zlib. */
#include "logging.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "leveret/base/mem.h"

#define LOG_CONSOLE_AUTO 0u /* words of log.console, by number */
#define LOG_CONSOLE_ON   1u

/* A file whose name is not a whole path stands in log.dir. */
static char *path_of(const struct settings *settings)
{
    char *out;
    const char *file = settings->log_file;
    if (!file)
        return NULL;
    if (file[0] == '/' || !settings->log_dir)
        return mem_need_text(file, strlen(file));
    return asprintf(&out, "%s/%s", settings->log_dir, file) < 0 ? NULL : out;
}

static enum log_level level_of(const struct settings *settings, uint64_t own)
{
    return (enum log_level)(own == SETTING_INHERIT ? settings->log_level : own);
}

static struct log_output output_of(const struct settings *settings, bool on, uint64_t level,
                                   uint64_t format)
{
    uint64_t inherited = format == SETTING_INHERIT ? settings->log_format : format;
    return (struct log_output){on, level_of(settings, level), (enum log_format)inherited};
}

/* Entries are named "connection.level". */
static void add_areas(const struct settings *settings, struct log_options *out)
{
    const struct setting_names *names = &settings->log_categories;
    for (size_t i = 0; i < names->count && out->area_count < LOG_AREA_LEVELS_MAX; i++) {
        struct log_area_level *area = &out->areas[out->area_count];
        size_t len = strcspn(names->items[i].name, ".");
        snprintf(area->area, sizeof area->area, "%.*s", (int)len, names->items[i].name);
        if (log_level_parse(names->items[i].value, &area->level) == STATUS_OK)
            out->area_count++;
    }
}

void logging_options(const struct settings *settings, struct log_options *out, char **path)
{
    *path = path_of(settings);
    bool console = settings->log_console == LOG_CONSOLE_AUTO
                       ? !*path && !settings->log_journald
                       : settings->log_console == LOG_CONSOLE_ON;
    *out = (struct log_options){
        .console =
            output_of(settings, console, settings->log_console_level, settings->log_console_format),
        .console_is_stdout = settings->log_console_stdio != 0,
        .file =
            output_of(settings, *path != NULL, settings->log_file_level, settings->log_file_format),
        .path = *path,
        .rotation = {.bytes_max = settings->log_rotation_bytes,
                     .count = (unsigned)settings->log_rotation_count,
                     .compress = settings->log_rotation_compress ? logging_compress : NULL},
        .journald = output_of(settings, settings->log_journald, settings->log_journald_level,
                              SETTING_INHERIT),
        .tap = output_of(settings, settings->log_exchange, settings->log_exchange_level,
                         SETTING_INHERIT),
    };
    const char *date = settings->log_rotation_date ? settings->log_rotation_date : "";
    enum status status = log_schedule_parse(date, &out->rotation.schedule);
    (void)status; /* the key's check has seen to that */
    add_areas(settings, out);
}

/* ---- Compressing. */

static bool copy_compressed(FILE *from, gzFile to)
{
    char piece[65536];
    size_t got;
    while ((got = fread(piece, 1, sizeof piece, from)) > 0)
        if (gzwrite(to, piece, (unsigned)got) != (int)got)
            return false;
    return !ferror(from);
}

bool logging_compress(const char *path)
{
    char *target;
    bool good = false;
    if (asprintf(&target, "%s.gz", path) < 0)
        return false;
    FILE *from = fopen(path, "re");
    gzFile to = from ? gzopen(target, "wbe") : NULL;
    if (to) {
        good = copy_compressed(from, to);
        if (gzclose(to) != Z_OK)
            good = false;
        unlink(good ? path : target);
    }
    if (from)
        fclose(from);
    free(target);
    return good;
}
