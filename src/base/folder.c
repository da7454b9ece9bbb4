/* The files of a folder: see folder.h. */
#include "leveret/base/folder.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "leveret/base/mem.h"

static bool is_wanted(const char *name, const char *ending)
{
    size_t len = strlen(name), end = strlen(ending);
    return name[0] != '.' && len > end && strcmp(name + len - end, ending) == 0;
}

enum status folder_each(const char *path, const char *ending,
                        void (*each)(void *context, const char *path), void *context)
{
    struct dirent **entries;
    int count = scandir(path, &entries, NULL, alphasort);
    if (count < 0)
        return STATUS_IO;
    for (int i = 0; i < count; i++) {
        char *entry;
        if (is_wanted(entries[i]->d_name, ending) &&
            asprintf(&entry, "%s/%s", path, entries[i]->d_name) >= 0) {
            each(context, entry);
            free(entry);
        }
        free(entries[i]);
    }
    free(entries);
    return STATUS_OK;
}
