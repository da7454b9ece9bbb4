/* Writing files so that a crash leaves them whole: see file.h. */
#include "leveret/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "leveret/base/mem.h"

enum status file_status(void)
{
    return errno == ENOSPC || errno == EDQUOT ? STATUS_NO_SPACE : STATUS_IO;
}

static bool write_all(int fd, struct bytes content)
{
    while (content.len > 0) {
        ssize_t some = write(fd, content.at, content.len);
        if (some < 0 && errno == EINTR)
            continue;
        if (some < 0)
            return false;
        content.at += some;
        content.len -= (size_t)some;
    }
    return fsync(fd) == 0;
}

enum status file_replace(const char *path, struct bytes content)
{
    size_t len = strlen(path);
    char *aside = mem_need(len + sizeof ".new");
    memcpy(aside, path, len);
    memcpy(aside + len, ".new", sizeof ".new");
    int fd = open(aside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0640);
    bool done = fd >= 0 && write_all(fd, content);
    int number = errno;
    if (fd >= 0)
        close(fd);
    errno = number;
    done = done && rename(aside, path) == 0;
    number = errno;
    if (!done && fd >= 0)
        unlink(aside);
    free(aside);
    errno = number;
    return done ? file_sync_parent(path) : file_status();
}

enum status file_sync_directory(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return file_status();
    bool done = fsync(fd) == 0;
    int number = errno;
    close(fd);
    errno = number;
    return done ? STATUS_OK : file_status();
}

enum status file_sync_parent(const char *path)
{
    char *parent = mem_need_text(path, strlen(path));
    char *slash = strrchr(parent, '/');
    if (slash)
        slash[slash == parent] = '\0';
    enum status status = file_sync_directory(slash ? parent : ".");
    free(parent);
    return status;
}
