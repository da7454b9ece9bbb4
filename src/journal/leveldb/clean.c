/* See clean.h. */
#include "journal/leveldb/clean.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "leveret/base/file.h"
#include "leveret/base/text.h"

static char *mark_name(const char *path)
{
    struct text name = {0};
    text_printf(&name, "%s/clean", path);
    text_add(&name, "", 1);
    return (char *)name.at;
}

bool clean_is_marked(const char *path)
{
    char *name = mark_name(path);
    bool marked = access(name, F_OK) == 0;
    free(name);
    return marked;
}

void clean_mark(const char *path)
{
    /* An empty file is complete as soon as its name is in the directory. */
    char *name = mark_name(path);
    int fd = open(name, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
    if (fd >= 0)
        close(fd);
    if (fd >= 0 && file_sync_directory(path) != STATUS_OK)
        unlink(name);
    free(name);
}

enum status clean_unmark(const char *path)
{
    char *name = mark_name(path);
    enum status status = STATUS_OK;
    if (unlink(name) == 0)
        status = file_sync_directory(path);
    else if (errno != ENOENT)
        status = file_status();
    free(name);
    return status;
}
