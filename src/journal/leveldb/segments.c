/* Segments: who lives where, and the files.
 *
 * What can go wrong: a write or a sync fails; the batch is then written again to the same places,
 * which nothing names yet. A crash leaves a file, or the end of one, that nothing names: recovery
 * removes the one and never looks at the other. */
#include "journal/leveldb/segments.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "leveret/base/check.h"
#include "leveret/base/mem.h"

#define FILE_PREFIX "segment-"

/* ---- The owner's counting. */

void segments_free(struct segments *segments)
{
    size_t at = 0;
    for (struct segment *segment; (segment = map_next(&segments->by_number, &at));)
        free(segment);
    map_free(&segments->by_number);
    *segments = (struct segments){0};
}

static struct segment *find(const struct segments *segments, uint64_t number)
{
    return map_get(&segments->by_number, bytes_of(&number, sizeof number));
}

static struct segment *add(struct segments *segments, uint32_t number)
{
    struct segment *segment = mem_need(sizeof *segment);
    segment->number = number;
    map_put(&segments->by_number, bytes_of(&segment->number, sizeof segment->number), segment);
    if (number >= segments->next_number)
        segments->next_number = number + 1;
    return segment;
}

void segment_list_add(struct segment_list *list, uint32_t number)
{
    if (list->count == list->room) {
        list->room = list->room * 2 + 4;
        list->at = mem_need_array(list->at, list->room, sizeof *list->at);
    }
    list->at[list->count++] = number;
}

static void retire_dead(struct segments *segments, struct segment *segment,
                        struct segment_list *dead)
{
    segment_list_add(dead, (uint32_t)segment->number);
    segments->size_bytes -= segment->size;
    map_remove(&segments->by_number, bytes_of(&segment->number, sizeof segment->number));
    free(segment);
}

struct place segments_reserve(struct segments *segments, uint64_t bytes)
{
    struct segment *segment = segments->current;
    if (!segment || segment->size >= segments->bytes_max) {
        if (segments->next_number == 0)
            segments->next_number = 1;
        segment = segments->current = add(segments, segments->next_number);
    }
    CHECK(segment->size <= UINT32_MAX);
    struct place place = {(uint32_t)segment->number, (uint32_t)segment->size, bytes};
    segment->size += bytes;
    segment->live_bytes += bytes;
    segments->size_bytes += bytes;
    segments->live_bytes += bytes;
    return place;
}

void segments_add(struct segments *segments, struct place place)
{
    struct segment *segment = find(segments, place.segment);
    if (!segment)
        segment = add(segments, place.segment);
    uint64_t end = place.offset + place.bytes;
    if (end > segment->size) {
        segments->size_bytes += end - segment->size;
        segment->size = end;
    }
    segment->live_bytes += place.bytes;
    segments->live_bytes += place.bytes;
}

void segments_release(struct segments *segments, struct place place, struct segment_list *dead)
{
    struct segment *segment = find(segments, place.segment);
    CHECK(segment && segment->live_bytes >= place.bytes);
    segment->live_bytes -= place.bytes;
    segments->live_bytes -= place.bytes;
    if (segment->live_bytes > 0)
        return;
    /* The current one goes on being filled until it is worth the making of another. */
    if (segment == segments->current) {
        if (segment->size < segments->bytes_max / 4)
            return;
        segments->current = NULL;
    }
    retire_dead(segments, segment, dead);
}

/* ---- Files. */

char *segment_name(const char *path, uint32_t number)
{
    struct text name = {0};
    text_printf(&name, "%s/" FILE_PREFIX "%06u", path, number);
    text_add(&name, "", 1);
    return (char *)name.at;
}

static enum status status_of_errno(void)
{
    return errno == ENOSPC || errno == EDQUOT ? STATUS_NO_SPACE : STATUS_IO;
}

enum status segment_open(const char *path, uint32_t number, int *fd)
{
    char *name = segment_name(path, number);
    *fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
    free(name);
    return *fd >= 0 ? STATUS_OK : status_of_errno();
}

enum status segment_write(int fd, uint64_t offset, struct bytes bytes)
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

enum status segment_extend(int fd, uint64_t end)
{
    struct stat about;
    if (fstat(fd, &about) != 0 || ((uint64_t)about.st_size < end && ftruncate(fd, (off_t)end) != 0))
        return status_of_errno();
    return STATUS_OK;
}

enum status segment_sync(int fd, const char *path, bool is_new)
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

static enum status read_place(int fd, struct place place, struct text *out)
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

enum status segment_read(const char *path, struct place place, struct text *out)
{
    char *name = segment_name(path, place.segment);
    int fd = open(name, O_RDONLY | O_CLOEXEC);
    free(name);
    if (fd < 0)
        return errno == ENOENT ? STATUS_NOT_FOUND : STATUS_IO;
    enum status status = read_place(fd, place, out);
    close(fd);
    return status;
}

void segment_remove(const char *path, uint32_t number)
{
    char *name = segment_name(path, number);
    unlink(name);
    free(name);
}

void segments_clean(struct segments *segments, const char *path)
{
    DIR *directory = opendir(path);
    if (!directory)
        return;
    for (struct dirent *entry; (entry = readdir(directory));) {
        if (strncmp(entry->d_name, FILE_PREFIX, strlen(FILE_PREFIX)) != 0)
            continue;
        unsigned long number = strtoul(entry->d_name + strlen(FILE_PREFIX), NULL, 10);
        if (number > UINT32_MAX || find(segments, number))
            continue;
        unlinkat(dirfd(directory), entry->d_name, 0);
    }
    closedir(directory);
}
