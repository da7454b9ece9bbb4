/* The data directory: made at first start, locked while in use, with its format version written
 * down.
 *
 * What can go wrong: another process holds the lock; the format is newer than this program; the
 * directory cannot be made or written. Nothing is ever deleted here. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "leveret/base/map.h"
#include "leveret/base/mem.h"
#include "leveret/base/number.h"
#include "leveret/base/text.h"
#include "node_internal.h"

#define FORMAT_LINE    "leveret data format "
#define FORMAT_VERSION 1u
/* File names are at most 255 bytes; a longer one is cut and told apart by its hash. */
#define DIRECTORY_NAME_MAX 200u

struct data_dir {
    char *path;
    int lock_fd;
};

static char *print(const char *format, const char *a, const char *b)
{
    struct text text = {0};
    text_printf(&text, format, a, b);
    text_add(&text, "", 1);
    return (char *)text.at;
}

/* mkdir -p. */
static bool make_directories(const char *path)
{
    char *copy = mem_need_text(path, strlen(path));
    bool made = true;
    for (char *at = copy + 1; made; at++) {
        if (*at != '/' && *at != '\0')
            continue;
        char end = *at;
        *at = '\0';
        if (mkdir(copy, 0750) != 0 && errno != EEXIST)
            made = false;
        *at = end;
        if (end == '\0')
            break;
    }
    free(copy);
    return made;
}

static enum status write_format(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
    if (fd < 0)
        return errno == ENOSPC ? STATUS_NO_SPACE : STATUS_IO;
    char line[64];
    int len = snprintf(line, sizeof line, FORMAT_LINE "%u\n", FORMAT_VERSION);
    bool ok = write(fd, line, (size_t)len) == len && fdatasync(fd) == 0;
    close(fd);
    return ok ? STATUS_OK : STATUS_IO;
}

static enum status check_format(const char *dir, char **error)
{
    char *path = print("%s/%s", dir, "format");
    enum status status = STATUS_OK;
    FILE *file = fopen(path, "re");
    uint64_t version = 0;
    char line[64];
    if (!file && errno == ENOENT) {
        status = write_format(path);
        if (status != STATUS_OK)
            *error = print("cannot write %s: %s", path, strerror(errno));
    } else if (!file) {
        status = STATUS_IO;
        *error = print("cannot read %s: %s", path, strerror(errno));
    } else if (!fgets(line, sizeof line, file) ||
               strncmp(line, FORMAT_LINE, strlen(FORMAT_LINE)) != 0 ||
               !number_scan(line + strlen(FORMAT_LINE), &version)) {
        status = STATUS_CORRUPT;
        *error = print("%s is not a format file of Leveret's; restore it from a backup, or point "
                       "data_dir elsewhere%s",
                       path, "");
    } else if (version > FORMAT_VERSION) {
        status = STATUS_VERSION;
        *error = print("%s names a newer data format than this program knows; start the version "
                       "that wrote it%s",
                       path, "");
    }
    if (file)
        fclose(file);
    free(path);
    return status;
}

enum status data_dir_open(const char *path, struct data_dir **out, char **error)
{
    if (!make_directories(path)) {
        *error = print("cannot make the data directory %s: %s", path, strerror(errno));
        return STATUS_IO;
    }
    char *lock = print("%s/%s", path, "lock");
    int fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
    enum status status = STATUS_OK;
    if (fd < 0) {
        status = STATUS_IO;
        *error = print("cannot open %s: %s", lock, strerror(errno));
    } else if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        status = STATUS_LOCKED;
        *error =
            print("the data directory %s is in use by another leveretd (%s is locked)", path, lock);
    } else {
        status = check_format(path, error);
    }
    free(lock);
    if (status != STATUS_OK) {
        if (fd >= 0)
            close(fd);
        return status;
    }
    char *vhosts = print("%s/%s", path, "vhosts");
    bool made = make_directories(vhosts);
    if (!made)
        *error = print("cannot make %s: %s", vhosts, strerror(errno));
    free(vhosts);
    if (!made) {
        close(fd);
        return STATUS_IO;
    }
    struct data_dir *dir = mem_need(sizeof *dir);
    dir->path = mem_need_text(path, strlen(path));
    dir->lock_fd = fd;
    *out = dir;
    return STATUS_OK;
}

void data_dir_close(struct data_dir **dir)
{
    if (!*dir)
        return;
    close((*dir)->lock_fd);
    free((*dir)->path);
    free(*dir);
    *dir = NULL;
}

const char *data_dir_path(const struct data_dir *dir)
{
    return dir->path;
}

char *data_dir_node_path(const struct data_dir *dir)
{
    return print("%s/%s", dir->path, "node");
}

char *data_dir_vhost_path(const struct data_dir *dir, struct bytes vhost)
{
    struct text text = {0};
    text_printf(&text, "%s/vhosts/", dir->path);
    size_t from = text.len;
    for (size_t i = 0; i < vhost.len; i++) {
        uint8_t c = vhost.at[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
        if (plain)
            text_add(&text, &c, 1);
        else
            text_printf(&text, "%%%02x", c);
    }
    if (text.len - from > DIRECTORY_NAME_MAX) {
        text.len = from + DIRECTORY_NAME_MAX;
        text_printf(&text, "+%016llx", (unsigned long long)map_hash_stable(vhost));
    }
    text_add(&text, "", 1);
    return (char *)text.at;
}
