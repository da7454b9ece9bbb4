/* All sources of the configuration. */
#include "leveretd/settings/sources.h"

#include <stdlib.h>
#include <unistd.h>

#include "leveretd/settings/environment.h"

/* The file that is read when nothing else is named, and the folder that is read after it. */
#define DEFAULT_FOLDER LEVERET_CONFIG_FOLDER "/conf.d"

static void read_existing(struct settings *settings, const char *path, struct report *report)
{
    if (access(path, F_OK) == 0)
        settings_read_path(settings, path, report);
}

static void read_files(const struct sources *sources, struct settings *settings,
                       struct report *report)
{
    char *file = environment_rabbitmq_file(sources->environment);
    char *files = environment_rabbitmq_files(sources->environment);
    if (sources->path) {
        settings_read_path(settings, sources->path, report);
    } else if (file || files) {
        if (file)
            settings_read_path(settings, file, report);
        if (files)
            settings_read_path(settings, files, report);
    } else {
        read_existing(settings, LEVERET_CONFIG_FILE, report);
        read_existing(settings, DEFAULT_FOLDER, report);
    }
    free(file);
    free(files);
}

void sources_read(const struct sources *sources, struct settings **out, struct report *report)
{
    struct settings *settings = settings_new();
    read_files(sources, settings, report);
    environment_read(settings, sources->environment, report);
    for (size_t i = 0; i < sources->assignment_count; i++)
        settings_read_assignment(settings, sources->assignments[i], report);
    environment_read_rabbitmq(settings, sources->environment, report);
    *out = settings;
}
