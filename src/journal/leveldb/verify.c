/* See verify.h.
 *
 * What can go wrong, beside damage: a file cannot be read (IO), or LevelDB has removed a table that
 * is no longer in use. A file that no file in use names is not checked: a crash leaves such
 * half-made files behind, and LevelDB removes them. */
#include "journal/leveldb/verify.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "leveret/base/mem.h"
#include "leveret/base/number.h"

/* Bytes of a table's block. A larger one is damage: the journal stores bodies in smaller parts. */
#define BLOCK_BYTES_MAX ((uint64_t)1 << 30)

/* path/NUMBERformat, or path/format when number is UINT64_MAX (free it). */
static char *file_name(const char *path, const char *format, uint64_t number)
{
    struct text name = {0};
    text_printf(&name, "%s/", path);
    char last[32];
    if (number == UINT64_MAX)
        snprintf(last, sizeof last, "%s", format);
    else
        snprintf(last, sizeof last, "%06" PRIu64 "%s", number, format);
    text_printf(&name, "%s", last);
    text_add(&name, "", 1);
    return (char *)name.at;
}

static enum status damaged(const char *name, const char *what, uint64_t offset, char **error)
{
    struct text text = {0};
    text_printf(
        &text,
        "%s is damaged: %s at byte %" PRIu64
        ". Nothing was changed. Restore the directory that it is in from a copy, or move the "
        "directory away to start without what it holds",
        name, what, offset);
    text_add(&text, "", 1);
    *error = (char *)text.at;
    return STATUS_CORRUPT;
}

static enum status missing(const char *name, char **error)
{
    struct text text = {0};
    text_printf(&text,
                "%s is missing. Nothing was changed. Restore the directory that it was in from a "
                "copy, or move the directory away to start without what it holds",
                name);
    text_add(&text, "", 1);
    *error = (char *)text.at;
    return STATUS_CORRUPT;
}

static enum status unreadable(const char *name, char **error)
{
    struct text text = {0};
    text_printf(&text, "%s cannot be read: %s", name,
                errno ? strerror(errno) : "it ends too early");
    text_add(&text, "", 1);
    *error = (char *)text.at;
    return STATUS_IO;
}

/* Reads exactly len bytes. Returns false with errno when it cannot; errno 0: the file ends there.
 */
static bool read_at(int fd, uint64_t offset, uint8_t *at, size_t len)
{
    while (len > 0) {
        ssize_t some = pread(fd, at, len, (off_t)offset);
        if (some < 0 && errno == EINTR)
            continue;
        if (some <= 0) {
            errno = some == 0 ? 0 : errno;
            return false;
        }
        at += some;
        offset += (uint64_t)some;
        len -= (size_t)some;
    }
    return true;
}

/* Reads a whole file. Errors: NOT_FOUND, IO. */
static enum status read_file(const char *name, struct text *out, char **error)
{
    int fd = open(name, O_RDONLY | O_CLOEXEC);
    struct stat about;
    if (fd < 0 && errno == ENOENT)
        return STATUS_NOT_FOUND;
    out->len = 0;
    if (fd < 0 || fstat(fd, &about) != 0 ||
        !read_at(fd, 0, text_reserve(out, (size_t)about.st_size + 1), (size_t)about.st_size)) {
        enum status status = unreadable(name, error);
        if (fd >= 0)
            close(fd);
        return status;
    }
    out->len = (size_t)about.st_size;
    close(fd);
    return STATUS_OK;
}

/* ---- A table. */

struct table {
    const char *name;
    int fd;
    uint64_t bytes;
    struct text block; /* the block that was just read, with its trailer */
    enum status status;
    char **error;
};

static bool check_block(struct table *table, struct verify_block block)
{
    uint64_t whole = block.bytes + VERIFY_TRAILER_BYTES;
    if (block.bytes > BLOCK_BYTES_MAX || block.offset > table->bytes ||
        whole > table->bytes - block.offset) {
        table->status =
            damaged(table->name, "a block that does not fit", block.offset, table->error);
        return false;
    }
    table->block.len = 0;
    uint8_t *at = text_reserve(&table->block, (size_t)whole);
    if (!read_at(table->fd, block.offset, at, (size_t)whole)) {
        table->status = unreadable(table->name, table->error);
        return false;
    }
    table->block.len = (size_t)whole;
    if (verify_block(text_bytes(&table->block)) == STATUS_OK)
        return true;
    table->status =
        damaged(table->name, "a checksum does not fit the block", block.offset, table->error);
    return false;
}

static bool check_listed_block(void *context, struct verify_block block)
{
    return check_block(context, block);
}

static void check_table(struct table *table)
{
    uint8_t footer[VERIFY_FOOTER_BYTES];
    struct verify_block meta, index;
    uint64_t footer_at = table->bytes - sizeof footer;
    if (table->bytes < sizeof footer || !read_at(table->fd, footer_at, footer, sizeof footer)) {
        table->status = damaged(table->name, "its end is missing", table->bytes, table->error);
        return;
    }
    if (verify_footer(bytes_of(footer, sizeof footer), &meta, &index) != STATUS_OK) {
        table->status = damaged(table->name, "the footer", footer_at, table->error);
        return;
    }
    if (!check_block(table, meta) || !check_block(table, index))
        return;
    struct text list = table->block; /* check_block will read into table->block again */
    table->block = (struct text){0};
    list.len -= VERIFY_TRAILER_BYTES;
    if (verify_index(text_bytes(&list), check_listed_block, table) != STATUS_OK &&
        table->status == STATUS_OK)
        table->status = damaged(table->name, "the index", index.offset, table->error);
    text_free(&list);
}

static enum status open_and_check(const char *path, uint64_t number, uint64_t bytes, char **error)
{
    char *name = file_name(path, ".ldb", number);
    struct table table = {.name = name, .error = error, .status = STATUS_OK};
    struct stat about;
    table.fd = open(name, O_RDONLY | O_CLOEXEC);
    if (table.fd < 0 && errno == ENOENT) {
        table.status = STATUS_NOT_FOUND;
    } else if (table.fd < 0 || fstat(table.fd, &about) != 0) {
        table.status = unreadable(name, error);
    } else {
        table.bytes = (uint64_t)about.st_size;
        if (bytes != UINT64_MAX && bytes != table.bytes)
            table.status =
                damaged(name, "it does not have the length it should have", table.bytes, error);
        else
            check_table(&table);
    }
    if (table.fd >= 0)
        close(table.fd);
    text_free(&table.block);
    free(name);
    return table.status;
}

enum status verify_table(const char *path, uint64_t number, char **error)
{
    *error = NULL;
    return open_and_check(path, number, UINT64_MAX, error);
}

/* ---- A database. */

static bool on_log_record(void *context, struct bytes record)
{
    (void)context;
    (void)record;
    return true;
}

struct edit_walk {
    struct verify_manifest *manifest;
    bool malformed;
};

static bool on_manifest_record(void *context, struct bytes record)
{
    struct edit_walk *walk = context;
    walk->malformed = verify_edit(walk->manifest, record) != STATUS_OK;
    return !walk->malformed;
}

/* Cuts a file off at len bytes, and syncs that. */
static enum status cut_off(const char *name, size_t len, char **error)
{
    int fd = open(name, O_WRONLY | O_CLOEXEC);
    bool done = fd >= 0 && ftruncate(fd, (off_t)len) == 0 && fsync(fd) == 0;
    enum status status = done ? STATUS_OK : unreadable(name, error);
    if (fd >= 0)
        close(fd);
    return status;
}

static void note_cut(struct verify_rest *rest, const char *name, size_t len, size_t bytes)
{
    struct text text = {0};
    text_printf(&text,
                "%s%s%s: the last write was cut short by a crash: %zu bytes from byte %zu on were "
                "dropped, of which nothing was confirmed%c",
                rest->cut ? rest->cut : "", rest->cut ? "; " : "", name, bytes, len, '\0');
    free(rest->cut);
    rest->cut = (char *)text.at;
}

static enum status parse_manifest(struct bytes log, struct verify_manifest *out, size_t *sound,
                                  size_t *damage)
{
    struct edit_walk walk = {out, false};
    *damage = 0;
    free(out->files);
    *out = (struct verify_manifest){0};
    enum status status = verify_log(log, on_manifest_record, &walk, sound, damage);
    if (walk.malformed)
        *sound = 0; /* the record's checksum fits, so it is no torn write: nothing may be cut off */
    return walk.malformed ? STATUS_CORRUPT : status;
}

static bool file_has(const char *path, const char *format, uint64_t number, uint64_t bytes)
{
    char *name = file_name(path, format, number);
    struct stat about;
    bool good =
        stat(name, &about) == 0 && (bytes == UINT64_MAX || (uint64_t)about.st_size == bytes);
    free(name);
    return good;
}

/* Whether all files that the manifest names are there. LevelDB removes a file only when a later
 * record that does not name it is on the disk. So if they are, no later record was lost. */
static bool is_all_there(const char *path, const struct verify_manifest *manifest)
{
    for (size_t i = 0; i < manifest->count; i++)
        if (!file_has(path, ".ldb", manifest->files[i].number, manifest->files[i].bytes))
            return false;
    return manifest->log_number == 0 || file_has(path, ".log", manifest->log_number, UINT64_MAX);
}

/* Reads CURRENT and the manifest that it names. */
static enum status find_manifest(const char *path, struct text *file, char **manifest_name,
                                 char **error)
{
    char *name = file_name(path, "CURRENT", UINT64_MAX);
    enum status status = read_file(name, file, error);
    if (status == STATUS_NOT_FOUND)
        status = missing(name, error);
    if (status == STATUS_OK &&
        (file->len < 10 || file->len > 64 || !bytes_start_with(text_bytes(file), "MANIFEST-") ||
         file->at[file->len - 1] != '\n' || memchr(file->at, '/', file->len)))
        status = damaged(name, "it does not name a manifest", 0, error);
    free(name);
    if (status != STATUS_OK)
        return status;
    file->at[file->len - 1] = '\0';
    *manifest_name = file_name(path, (const char *)file->at, UINT64_MAX);
    status = read_file(*manifest_name, file, error);
    return status == STATUS_NOT_FOUND ? missing(*manifest_name, error) : status;
}

/* Reads the manifest. mend: its last record may be half written, after a crash or on a full disk,
 * with more records behind it that LevelDB wrote before it noticed. The manifest is then cut off
 * before that record, if all files that the rest names are there. */
static enum status read_manifest(const char *path, struct verify_manifest *manifest, bool mend,
                                 struct verify_rest *rest, char **error)
{
    struct text file = {0};
    char *name = NULL;
    size_t sound = 0, damage = 0;
    enum status status = find_manifest(path, &file, &name, error);
    if (status == STATUS_OK &&
        parse_manifest(text_bytes(&file), manifest, &sound, &damage) != STATUS_OK) {
        size_t ignored;
        mend =
            mend && sound > 0 &&
            parse_manifest(bytes_of(file.at, sound), manifest, &ignored, &ignored) == STATUS_OK &&
            is_all_there(path, manifest);
        status = mend ? cut_off(name, sound, error) : damaged(name, "a record", damage, error);
        if (status == STATUS_OK)
            note_cut(rest, name, sound, file.len - sound);
    }
    text_free(&file);
    free(name);
    return status;
}

enum status verify_mend_manifest(const char *path, char **cut, char **error)
{
    struct verify_manifest manifest = {0};
    struct verify_rest rest = {0};
    *error = NULL;
    enum status status = read_manifest(path, &manifest, true, &rest, error);
    free(manifest.files);
    *cut = rest.cut;
    return status;
}

/* Checks a log. mend: its last write may be torn, and is then cut off. */
static enum status check_log(const char *path, uint64_t number, bool mend, struct verify_rest *rest,
                             char **error)
{
    struct text file = {0};
    char *name = file_name(path, ".log", number);
    enum status status = read_file(name, &file, error);
    size_t sound, damage;
    if (status == STATUS_OK &&
        verify_log(text_bytes(&file), on_log_record, NULL, &sound, &damage) != STATUS_OK) {
        mend = mend && verify_log_is_torn(text_bytes(&file), damage);
        status = mend ? cut_off(name, sound, error) : damaged(name, "a record", damage, error);
        if (status == STATUS_OK)
            note_cut(rest, name, sound, file.len - sound);
    }
    text_free(&file);
    free(name);
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

/* The number of the next log in the directory; 0: there are no more. */
static uint64_t next_log(DIR *directory)
{
    for (struct dirent *entry; (entry = readdir(directory));) {
        uint64_t number;
        const char *end = number_scan(entry->d_name, &number);
        if (end && strcmp(end, ".log") == 0 && number > 0)
            return number;
    }
    return 0;
}

static enum status check_logs(const char *path, uint64_t from, bool crashed,
                              struct verify_rest *rest, char **error)
{
    DIR *directory = opendir(path);
    if (!directory)
        return unreadable(path, error);
    enum status status = STATUS_OK;
    uint64_t newest = 0;
    for (uint64_t number; (number = next_log(directory));)
        newest = number > newest ? number : newest;
    rewinddir(directory);
    for (uint64_t number; status == STATUS_OK && (number = next_log(directory));)
        if (number >= from)
            status = check_log(path, number, crashed && number == newest, rest, error);
    closedir(directory);
    return status;
}

uint64_t verify_trim_log(const char *path)
{
    DIR *directory = opendir(path);
    uint64_t newest = 0, bytes = 0;
    struct stat about;
    if (!directory)
        return 0;
    for (uint64_t number; (number = next_log(directory));) {
        char *name = file_name(path, ".log", number);
        if (stat(name, &about) == 0)
            bytes += (uint64_t)about.st_size;
        free(name);
        if (number > newest)
            newest = number;
    }
    closedir(directory);
    char *name = file_name(path, ".log", newest), *error = NULL;
    struct text file = {0};
    size_t sound, damage;
    /* Only a sound log that ends in half a record is cut. */
    if (newest && read_file(name, &file, &error) == STATUS_OK &&
        verify_log(text_bytes(&file), on_log_record, NULL, &sound, &damage) == STATUS_OK &&
        sound < file.len && truncate(name, (off_t)sound) == 0)
        bytes -= file.len - sound;
    text_free(&file);
    free(name);
    free(error);
    return bytes;
}

static enum status check_tables(const char *path, const struct verify_manifest *manifest,
                                uint64_t bytes_max, struct verify_rest *rest, char **error)
{
    rest->tables = mem_need_array(NULL, manifest->count + 1, sizeof *rest->tables);
    for (size_t i = 0; i < manifest->count; i++) {
        const struct verify_file *file = &manifest->files[i];
        if (file->bytes > bytes_max) {
            rest->tables[rest->count++] = file->number;
            continue;
        }
        bytes_max -= file->bytes;
        enum status status = open_and_check(path, file->number, file->bytes, error);
        if (status == STATUS_NOT_FOUND) {
            char *name = file_name(path, ".ldb", file->number);
            status = missing(name, error);
            free(name);
        }
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

enum status verify_database(const char *path, uint64_t bytes_max, enum verify_after after,
                            struct verify_rest *rest, char **error)
{
    bool crashed = after == VERIFY_AFTER_CRASH;
    *error = NULL;
    *rest = (struct verify_rest){0};
    struct verify_manifest manifest = {0};
    enum status status = read_manifest(path, &manifest, crashed, rest, error);
    if (status == STATUS_OK)
        status = check_logs(path, manifest.log_number, crashed, rest, error);
    if (status == STATUS_OK)
        status = check_tables(path, &manifest, bytes_max, rest, error);
    free(manifest.files);
    return status;
}
