/* See segment_file.h. */
#include "journal/leveldb/segment_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "leveret/base/mem.h"

char *segment_file_name(const char *path, uint32_t number)
{
    struct text name = {0};
    text_printf(&name, "%s/" SEGMENT_FILE_PREFIX "%06u", path, number);
    text_add(&name, "", 1);
    return (char *)name.at;
}

static enum status status_of_errno(void)
{
    return errno == ENOSPC || errno == EDQUOT ? STATUS_NO_SPACE : STATUS_IO;
}

enum status segment_file_open(const char *path, uint32_t number, int *fd)
{
    char *name = segment_file_name(path, number);
    *fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
    free(name);
    return *fd >= 0 ? STATUS_OK : status_of_errno();
}

enum status segment_file_write(int fd, uint64_t offset, struct bytes bytes)
{
    while (bytes.len > 0) {
        ssize_t some = pwrite(fd, bytes.at, bytes.len, (off_t)offset);
        if (some < 0 && errno == EINTR)
            continue;
        if (some < 0)
            return status_of_errno();
        bytes.at += some;
        bytes.len -= (size_t)some;
        offset += (uint64_t)some;
    }
    return STATUS_OK;
}

enum status segment_file_extend(int fd, uint64_t end)
{
    struct stat about;
    if (fstat(fd, &about) != 0 || ((uint64_t)about.st_size < end && ftruncate(fd, (off_t)end) != 0))
        return status_of_errno();
    return STATUS_OK;
}

enum status segment_file_sync(int fd, const char *path, bool is_new)
{
    if (fdatasync(fd) != 0)
        return status_of_errno();
    if (!is_new)
        return STATUS_OK;
    int directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0)
        return status_of_errno();
    enum status status = fsync(directory) == 0 ? STATUS_OK : status_of_errno();
    close(directory);
    return status;
}

static enum status read_place(int fd, struct segment_place place, struct text *out)
{
    struct stat about;
    if (fstat(fd, &about) != 0)
        return STATUS_IO;
    if ((uint64_t)about.st_size < place.offset + place.bytes)
        return STATUS_CORRUPT;
    uint8_t *at = text_reserve(out, (size_t)place.bytes);
    for (uint64_t done = 0; done < place.bytes;) {
        ssize_t some =
            pread(fd, at + done, (size_t)(place.bytes - done), (off_t)(place.offset + done));
        if (some < 0 && errno == EINTR)
            continue;
        if (some <= 0)
            return some < 0 ? STATUS_IO : STATUS_CORRUPT;
        done += (uint64_t)some;
    }
    out->len += (size_t)place.bytes;
    return STATUS_OK;
}

enum status segment_file_read(const char *path, struct segment_place place, struct text *out)
{
    char *name = segment_file_name(path, place.segment);
    int fd = open(name, O_RDONLY | O_CLOEXEC);
    free(name);
    if (fd < 0)
        return errno == ENOENT ? STATUS_NOT_FOUND : STATUS_IO;
    enum status status = read_place(fd, place, out);
    close(fd);
    return status;
}

void segment_file_remove(const char *path, uint32_t number)
{
    char *name = segment_file_name(path, number);
    unlink(name);
    free(name);
}
