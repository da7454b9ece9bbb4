/* Part of data_dir.h: whether a data directory was filled before. So a directory that has lost its
 * users is not taken for a new one.
 *
 * Normal course: the first start makes users, permissions and the default vhost in node/, and then
 * the file "made". Later starts find both.
 *
 * What can go wrong: node/ is gone or empty, by hand or after a bad restore. Without the file
 * "made" the next start would make the administrator guest again, beside the messages of other
 * users, and no vhost through which to reach those messages; so the start is refused. When a first
 * start crashed before it made the file, the directory has no vhost's data yet, and is filled
 * again. */
#include "data_dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "leveret/base/text.h"
#include "leveret/journal/key_store.h"

static char *path_of(const char *data_dir, const char *name)
{
    struct text text = {0};
    text_printf(&text, "%s/%s%c", data_dir, name, '\0');
    return (char *)text.at;
}

/* Whether the directory data_dir/name has any entry. */
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

/* An empty file is complete as soon as its name is in the directory. */
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
