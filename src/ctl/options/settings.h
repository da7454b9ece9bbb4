/* The settings' sources that are not the command line: defaults, the file, the environment. */
#ifndef LEVERETCTL_SETTINGS_H
#define LEVERETCTL_SETTINGS_H

#include "ctl/options/options.h"

void setting_replace(char **setting, const char *value);

void settings_default(struct options *options);

/* Reads LEVERETCTL_…. Returns false after printing an error. */
bool settings_from_environment(struct options *options);

/* Works out the style, when all sources are read. */
void settings_finish(struct options *options);

/* Reads a file of lines "key = value". Returns false after printing an error. A missing file is an
 * error only when it is needed. */
bool config_read(struct options *options, const char *path, bool needed);

/* Calls see with each line "key = value" of leveretd's file at path; a file that cannot be read,
 * and a line that is malformed, are passed over. */
void config_each(const char *path, void (*see)(void *context, const char *key, const char *value),
                 void *context);

#endif
