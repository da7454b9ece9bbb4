/* See data_dir.h.
 *
 * Deleting a vhost renames its directory to vhosts/.deleted-N and then removes that. If a crash
 * comes between the two, the next start removes it. (The name of a vhost's directory never has a
 * dot in it.) Nothing else is ever deleted here.
 *
 * What can go wrong: another process holds the lock; the format is newer than this program; the
 * directory cannot be made or written. A first start that was cut short may leave an empty file
 * "format" and no data: the file is then written again, not refused. */
#include "data_dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "leveret/base/file.h"
#include "leveret/base/map.h"
#include "leveret/base/mem.h"
#include "leveret/base/number.h"
#include "leveret/base/text.h"

#define FORMAT_LINE    "leveret data format "
#define FORMAT_VERSION 1u
/* Bytes of the name of a vhost's directory. A longer name is cut there and gets a hash of the
 * vhost's name at its end. (File systems allow 255 bytes.) */
#define DIRECTORY_NAME_MAX 200u
#define DELETED_PREFIX     ".deleted-"

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
    char line[64];
    int len = snprintf(line, sizeof line, FORMAT_LINE "%u\n", FORMAT_VERSION);
    return file_replace(path, bytes_of(line, (size_t)len));
}

static bool is_empty_file(const char *path)
{
    struct stat about;
    return stat(path, &about) == 0 && S_ISREG(about.st_mode) && about.st_size == 0;
}

/* Whether a first start was cut short before it had written the file format: it is empty, and the
 * directory has no data. */
static bool is_cut_short(const char *dir, const char *format_path)
{
    DIR *entries = is_empty_file(format_path) ? opendir(dir) : NULL;
    bool alone = entries != NULL;
    for (const struct dirent *entry; alone && (entry = readdir(entries));)
        alone = entry->d_name[0] == '.' || strncmp(entry->d_name, "format", 6) == 0 ||
                strcmp(entry->d_name, "lock") == 0 || strcmp(entry->d_name, "lost+found") == 0;
    if (entries)
        closedir(entries);
    return alone;
}

static enum status check_format(const char *dir, char **error)
{
    char *path = print("%s/%s", dir, "format");
    enum status status = STATUS_OK;
    FILE *file = fopen(path, "re");
    uint64_t version = 0;
    char line[64];
    if ((!file && errno == ENOENT) || (file && is_cut_short(dir, path))) {
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

/* ---- Deleted vhosts. */

static bool remove_directory(const char *path)
{
    DIR *directory = opendir(path);
    bool done = directory != NULL;
    for (const struct dirent *entry; done && (entry = readdir(directory));) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (unlinkat(dirfd(directory), entry->d_name, 0) == 0)
            continue;
        /* LevelDB makes no directories, but somebody who repaired a database may have. */
        char *inner = print("%s/%s", path, entry->d_name);
        done = errno == EISDIR || errno == EPERM ? remove_directory(inner) : errno == ENOENT;
        free(inner);
    }
    if (directory)
        closedir(directory);
    return done && rmdir(path) == 0;
}

enum status data_dir_remove_vhost(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *aside = NULL;
    bool moved = false, again = true;
    for (unsigned number = 1; again; number++) {
        struct text text = {0};
        text_printf(&text, "%.*s/" DELETED_PREFIX "%u%c", (int)(slash - path), path, number, '\0');
        free(aside);
        aside = (char *)text.at;
        moved = rename(path, aside) == 0;
        again = !moved && (errno == ENOTEMPTY || errno == EEXIST);
    }
    enum status status = moved ? file_sync_parent(aside) : file_status();
    if (!moved && errno == ENOENT)
        status = STATUS_OK; /* the vhost never stored anything */
    else if (status == STATUS_OK && !remove_directory(aside))
        status = STATUS_IO;
    free(aside);
    return status;
}

/* Removes what a crash has left of deleted vhosts. The next start tries again what fails now. */
static void remove_deleted(const char *vhosts)
{
    DIR *directory = opendir(vhosts);
    if (!directory)
        return;
    for (const struct dirent *entry; (entry = readdir(directory));) {
        if (strncmp(entry->d_name, DELETED_PREFIX, strlen(DELETED_PREFIX)) != 0)
            continue;
        char *path = print("%s/%s", vhosts, entry->d_name);
        remove_directory(path);
        free(path);
    }
    closedir(directory);
}

/* ---- Life. */

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
    if (made)
        remove_deleted(vhosts);
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
