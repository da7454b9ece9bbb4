/* The files of load_definitions: see definitions_files.h. */
#include "definitions_files.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "leveret/admin/admin.h"
#include "leveret/base/file.h"
#include "leveret/base/folder.h"
#include "leveret/base/mem.h"

static enum status cannot_read(const char *path, char **error)
{
    if (asprintf(error, "load_definitions: cannot read %s: %s", path, strerror(errno)) < 0)
        *error = NULL;
    return STATUS_IO;
}

/* ---- The files. */

static void add_path(void *context, const char *path)
{
    struct definitions_files *files = context;
    files->paths = mem_need_array(files->paths, files->count + 1, sizeof *files->paths);
    files->paths[files->count++] = mem_need_text(path, strlen(path));
}

enum status definitions_files_find(const char *path, struct definitions_files *out, char **error)
{
    struct stat about;
    *out = (struct definitions_files){NULL, 0};
    if (stat(path, &about) != 0)
        return cannot_read(path, error);
    if (!S_ISDIR(about.st_mode))
        add_path(out, path);
    else if (folder_each(path, ".json", add_path, out) != STATUS_OK)
        return cannot_read(path, error);
    return STATUS_OK;
}

void definitions_files_free(struct definitions_files *files)
{
    while (files->count)
        free(files->paths[--files->count]);
    free(files->paths);
    files->paths = NULL;
}

/* Appends the content of a file of at most max bytes. On error errno says why. */
static bool read_all(const char *path, size_t max, struct text *out)
{
    FILE *file = fopen(path, "re");
    size_t got = 1;
    if (!file)
        return false;
    while (got && out->len <= max) {
        got = fread(text_reserve(out, 65536), 1, 65536, file);
        out->len += got;
    }
    bool good = !ferror(file);
    if (good && got) {
        errno = EFBIG;
        good = false;
    }
    int saved = errno;
    fclose(file);
    errno = saved;
    return good;
}

enum status definitions_file_read(const char *path, struct text *out, char **error)
{
    return read_all(path, ADMIN_IMPORT_BYTES_MAX, out) ? STATUS_OK : cannot_read(path, error);
}

/* ---- Marks. */

/* Bytes of the file of marks; a longer one is not read. */
#define MARKS_BYTES_MAX ((size_t)16 << 20)

void definitions_marks_read(const char *data_dir, struct definitions_marks *out)
{
    *out = (struct definitions_marks){.path = NULL};
    if (!data_dir)
        return;
    if (asprintf(&out->path, "%s/" DEFINITIONS_MARKS_FILE, data_dir) < 0)
        out->path = NULL;
    else if (!read_all(out->path, MARKS_BYTES_MAX, &out->before))
        out->before.len = 0;
}

bool definitions_marks_add(struct definitions_marks *marks, const char *path, struct bytes content)
{
    unsigned char hash[EVP_MAX_MD_SIZE];
    unsigned bytes = 0;
    size_t start = marks->now.len;
    if (!marks->path || EVP_Digest(content.at, content.len, hash, &bytes, EVP_sha256(), NULL) != 1)
        return false;
    for (unsigned i = 0; i < bytes; i++)
        text_printf(&marks->now, "%02x", hash[i]);
    text_printf(&marks->now, "  %s\n", path);
    /* A mark is as long as a hash and never a part of another line: hashes stand in front only. */
    return marks->before.len && memmem(marks->before.at, marks->before.len, marks->now.at + start,
                                       marks->now.len - start) != NULL;
}

enum status definitions_marks_write(const struct definitions_marks *marks)
{
    return marks->path ? file_replace(marks->path, text_bytes(&marks->now)) : STATUS_OK;
}

void definitions_marks_free(struct definitions_marks *marks)
{
    free(marks->path);
    text_free(&marks->before);
    text_free(&marks->now);
    *marks = (struct definitions_marks){.path = NULL};
}
