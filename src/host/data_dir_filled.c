/* Whether a data directory was filled before, so that what is missing in it is told from what was
 * never there.
 *
 * Normal course: the first start makes users, permissions and the default vhost in node/ and then
 * leaves the file "made"; later starts find both. What can go wrong: node/ is gone or emptied, by
 * hand or by a bad restore: without this file an administrator guest would be made anew beside the
 * messages of others, and no vhost would be left to reach them. Then the start is refused. A
 * directory without the file, of a crash in the first start, has no vhost's data yet. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "leveret/base/text.h"
#include "leveret/journal/key_store.h"
#include "node_internal.h"

static char *path_of(const char *data_dir, const char *name)
{
    struct text text = {0};
    text_printf(&text, "%s/%s%c", data_dir, name, '\0');
    return (char *)text.at;
}

/* Whether the directory has anything in it. */
static bool has_entries(const char *data_dir, const char *name)
{
    char *path = path_of(data_dir, name);
    DIR *dir = opendir(path);
    const struct dirent *entry;
    bool found = false;
    while (dir && !found && (entry = readdir(dir)))
        found = strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    if (dir)
        closedir(dir);
    free(path);
    return found;
}

bool data_dir_was_filled(const char *data_dir)
{
    char *path = path_of(data_dir, "made");
    bool marked = access(path, F_OK) == 0;
    free(path);
    return marked || has_entries(data_dir, "vhosts");
}

enum status data_dir_check_node(const char *data_dir, char **error)
{
    struct text text = {0};
    char *path = path_of(data_dir, "node");
    bool exists = key_store_exists(path);
    free(path);
    if (exists || !data_dir_was_filled(data_dir))
        return STATUS_OK;
    text_printf(&text,
                "%s/node, with the users, permissions and names of vhosts, is missing or "
                "incomplete: restore it from a backup. To go on without it, move %s/vhosts and "
                "%s/made away: "
                "then the default user is made anew, and a vhost that is created again has its "
                "messages back when its directory was moved back before%c",
                data_dir, data_dir, data_dir, '\0');
    *error = (char *)text.at;
    return STATUS_CORRUPT;
}

/* The file is empty, so that it is whole as soon as its name is there. */
enum status data_dir_mark_filled(const char *data_dir)
{
    char *path = path_of(data_dir, "made");
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0640);
    int dir = open(data_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    enum status status = STATUS_OK;
    if (fd < 0 || dir < 0 || fsync(dir) != 0)
        status = errno == ENOSPC ? STATUS_NO_SPACE : STATUS_IO;
    if (fd >= 0)
        close(fd);
    if (dir >= 0)
        close(dir);
    free(path);
    return status;
}
