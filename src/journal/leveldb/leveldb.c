/* Part of database.h: LevelDB behind it.
 *
 * What can go wrong. A failed write may leave half a record at the end of LevelDB's log. Nothing
 * may be appended behind it, so further writes are refused until database_reopen. That reads the
 * log up to the half record, and cuts a half record off the manifest. LevelDB's paranoid checks are
 * on, so that damage is found as early as possible. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <leveldb/c.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "journal/leveldb/database.h"
#include "journal/leveldb/verify.h"
#include "leveret/base/check.h"
#include "leveret/base/file.h"
#include "leveret/base/mem.h"
#include "leveret/base/text.h"

/* Bytes of LevelDB's write buffer: the file system's size divided by WRITE_BUFFER_PART, but within
 * these bounds. A larger buffer was measured (docs/journal.md): it costs memory and gains little,
 * because blocks are large and come in the order of their keys. */
#define WRITE_BUFFER_PART 32u
#define WRITE_BUFFER_MAX  ((size_t)16 << 20)
#define WRITE_BUFFER_MIN  ((size_t)256 << 10)
/* Bytes of a table, of one of its blocks, and of the cache of blocks. */
#define TABLE_BYTES ((size_t)16 << 20)
#define BLOCK_BYTES ((size_t)16 << 10)
#define CACHE_BYTES ((size_t)1 << 20)
/* Files that LevelDB keeps open. At the limit it closes one before it opens another. */
#define OPEN_FILES_MAX 200

struct database {
    pthread_rwlock_t
        handle_lock;  /* for reading while db is used, for writing while it is replaced */
    leveldb_t *db;    /* NULL: it could not be opened again */
    bool must_reopen; /* a write has failed */
    leveldb_options_t *options;
    leveldb_cache_t *cache;
    leveldb_writeoptions_t *synced;
    leveldb_readoptions_t *checked;
    size_t write_buffer_bytes;
    char *path;
};

struct database_batch {
    leveldb_writebatch_t *batch;
};

/* The status for an error of LevelDB's, which is a text: "Corruption: …", "IO error: PATH: reason".
 */
static enum status status_of(const char *text)
{
    if (strncmp(text, "Corruption", 10) == 0)
        return STATUS_CORRUPT;
    if (strstr(text, "No space left") || strstr(text, "Disk quota exceeded"))
        return STATUS_NO_SPACE;
    if (strstr(text, "lock ") && strncmp(text, "IO error", 8) == 0)
        return STATUS_LOCKED;
    if (strstr(text, "does not exist"))
        return STATUS_NOT_FOUND;
    /* All others, like "Invalid argument" and "NotFound: CURRENT…", are damage. */
    return strncmp(text, "IO error", 8) == 0 ? STATUS_IO : STATUS_CORRUPT;
}

/* Puts an error text of LevelDB's into *error and frees it. */
static enum status fail(const struct database *db, char *text, char **error)
{
    enum status status = status_of(text);
    struct text sentence = {0};
    text_printf(&sentence, "%s: %s", db->path, text);
    text_add(&sentence, "", 1);
    *error = (char *)sentence.at;
    leveldb_free(text);
    return status;
}

/* Whether a file's name shows that the directory has a database. LevelDB makes CURRENT before logs
 * and tables. Logs or tables without it are therefore a damaged database; LevelDB would make a new
 * one and remove them. */
static bool tells_of_database(int directory, const char *name)
{
    struct stat about;
    size_t digits = strspn(name, "0123456789");
    const char *end = name + digits;
    if (strcmp(name, "CURRENT") == 0)
        return true;
    return digits && (strcmp(end, ".log") == 0 || strcmp(end, ".ldb") == 0) &&
           fstatat(directory, name, &about, AT_SYMLINK_NOFOLLOW) == 0 && about.st_size > 0;
}

bool database_exists(const char *path)
{
    DIR *directory = opendir(path);
    bool exists = false;
    if (!directory)
        return false;
    for (struct dirent *entry; !exists && (entry = readdir(directory));)
        exists = tells_of_database(dirfd(directory), entry->d_name);
    closedir(directory);
    return exists;
}

static size_t choose_write_buffer(const char *path)
{
    struct statvfs about;
    if (statvfs(path, &about) != 0)
        return WRITE_BUFFER_MAX;
    uint64_t part = (uint64_t)about.f_blocks * about.f_frsize / WRITE_BUFFER_PART;
    if (part < WRITE_BUFFER_MIN)
        return WRITE_BUFFER_MIN;
    return part < WRITE_BUFFER_MAX ? (size_t)part : WRITE_BUFFER_MAX;
}

static void set_options(struct database *db, bool create)
{
    db->write_buffer_bytes = choose_write_buffer(db->path);
    db->cache = leveldb_cache_create_lru(CACHE_BYTES);
    db->options = leveldb_options_create();
    leveldb_options_set_create_if_missing(db->options, create);
    leveldb_options_set_paranoid_checks(db->options, 1);
    leveldb_options_set_compression(db->options, leveldb_no_compression);
    leveldb_options_set_write_buffer_size(db->options, db->write_buffer_bytes);
    leveldb_options_set_max_file_size(
        db->options, db->write_buffer_bytes < TABLE_BYTES ? db->write_buffer_bytes : TABLE_BYTES);
    leveldb_options_set_block_size(db->options, BLOCK_BYTES);
    leveldb_options_set_cache(db->options, db->cache);
    leveldb_options_set_max_open_files(db->options, OPEN_FILES_MAX);
    db->synced = leveldb_writeoptions_create();
    leveldb_writeoptions_set_sync(db->synced, 1);
    db->checked = leveldb_readoptions_create();
    leveldb_readoptions_set_verify_checksums(db->checked, 1);
    leveldb_readoptions_set_fill_cache(db->checked, 0);
}

enum status database_open(const char *path, bool create, struct database **out, char **error)
{
    *error = NULL;
    *out = NULL;
    /* When mkdir fails, leveldb_open says what is wrong. The sync makes the directory survive a
     * crash. */
    if (create && mkdir(path, 0750) == 0 && file_sync_parent(path) != STATUS_OK) {
        enum status status = file_status();
        *error = mem_need_text(path, strlen(path));
        return status;
    }
    struct database *db = mem_need(sizeof *db);
    CHECK(pthread_rwlock_init(&db->handle_lock, NULL) == 0);
    db->path = mem_need_text(path, strlen(path));
    set_options(db, create);
    char *text = NULL;
    db->db = leveldb_open(db->options, path, &text);
    if (!db->db) {
        enum status status = fail(db, text, error);
        database_close(&db);
        return status;
    }
    *out = db;
    return STATUS_OK;
}

void database_close(struct database **db)
{
    struct database *gone = *db;
    *db = NULL;
    if (!gone)
        return;
    if (gone->db)
        leveldb_close(gone->db);
    leveldb_readoptions_destroy(gone->checked);
    leveldb_writeoptions_destroy(gone->synced);
    leveldb_options_destroy(gone->options);
    leveldb_cache_destroy(gone->cache);
    pthread_rwlock_destroy(&gone->handle_lock);
    free(gone->path);
    free(gone);
}

enum status database_reopen(struct database *db, char **error)
{
    *error = NULL;
    char *text = NULL, *cut = NULL;
    pthread_rwlock_wrlock(&db->handle_lock);
    if (db->db)
        leveldb_close(db->db);
    db->db = NULL;
    enum status status = verify_mend_manifest(db->path, &cut, error);
    free(cut);
    if (status != STATUS_OK) {
        db->must_reopen = true;
        pthread_rwlock_unlock(&db->handle_lock);
        return status;
    }
    db->db = leveldb_open(db->options, db->path, &text);
    db->must_reopen = !db->db;
    pthread_rwlock_unlock(&db->handle_lock);
    return text ? fail(db, text, error) : STATUS_OK;
}

struct database_batch *database_batch_new(void)
{
    struct database_batch *batch = mem_need(sizeof *batch);
    batch->batch = leveldb_writebatch_create();
    return batch;
}

void database_batch_free(struct database_batch **batch)
{
    if (!*batch)
        return;
    leveldb_writebatch_destroy((*batch)->batch);
    free(*batch);
    *batch = NULL;
}

void database_batch_clear(struct database_batch *batch)
{
    leveldb_writebatch_clear(batch->batch);
}

void database_batch_put(struct database_batch *batch, struct bytes key, struct bytes value)
{
    leveldb_writebatch_put(batch->batch, (const char *)key.at, key.len, (const char *)value.at,
                           value.len);
}

void database_batch_erase(struct database_batch *batch, struct bytes key)
{
    leveldb_writebatch_delete(batch->batch, (const char *)key.at, key.len);
}

enum status database_write(struct database *db, const struct database_batch *batch, char **error)
{
    CHECK(!db->must_reopen);
    *error = NULL;
    char *text = NULL;
    leveldb_write(db->db, db->synced, batch->batch, &text);
    if (!text)
        return STATUS_OK;
    db->must_reopen = true;
    return fail(db, text, error);
}

bool database_must_reopen(const struct database *db)
{
    return db->must_reopen;
}

enum status database_walk(struct database *db, struct bytes from, struct bytes to,
                          bool (*each)(void *context, struct bytes key, struct bytes value),
                          void *context, char **error)
{
    *error = NULL;
    char *text = NULL;
    pthread_rwlock_rdlock(&db->handle_lock);
    if (!db->db) {
        pthread_rwlock_unlock(&db->handle_lock);
        return STATUS_AGAIN;
    }
    leveldb_iterator_t *at = leveldb_create_iterator(db->db, db->checked);
    leveldb_iter_seek(at, (const char *)from.at, from.len);
    for (; leveldb_iter_valid(at); leveldb_iter_next(at)) {
        struct bytes key, value;
        key.at = (const uint8_t *)leveldb_iter_key(at, &key.len);
        int order = memcmp(key.at, to.at, key.len < to.len ? key.len : to.len);
        if (order > 0 || (order == 0 && key.len >= to.len))
            break;
        value.at = (const uint8_t *)leveldb_iter_value(at, &value.len);
        if (!each(context, key, value))
            break;
    }
    leveldb_iter_get_error(at, &text);
    leveldb_iter_destroy(at);
    pthread_rwlock_unlock(&db->handle_lock);
    return text ? fail(db, text, error) : STATUS_OK;
}

void database_compact(struct database *db, struct bytes from, struct bytes to)
{
    pthread_rwlock_rdlock(&db->handle_lock);
    if (db->db)
        leveldb_compact_range(db->db, (const char *)from.at, from.len, (const char *)to.at, to.len);
    pthread_rwlock_unlock(&db->handle_lock);
}

size_t database_write_buffer_bytes(const struct database *db)
{
    return db->write_buffer_bytes;
}
