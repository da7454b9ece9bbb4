/* See leveret/journal/key_store.h.
 *
 * Normal course: key_store_put and key_store_erase collect changes in one database batch;
 * key_store_commit writes it. Keys are stored as definitions' keys, values with a seal (record.h).
 *
 * What can go wrong. A write fails: the changes are dropped, and the next call opens the database
 * again first. The disk is full at start: the reserve file is removed, so that the database can be
 * opened. */
#include "leveret/journal/key_store.h"

#include <fcntl.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "journal/leveldb/clean.h"
#include "journal/leveldb/database.h"
#include "journal/leveldb/record.h"
#include "journal/leveldb/verify.h"
#include "leveret/base/mem.h"

/* The reserve is a file that only takes room. When the disk is full at start it is removed, and the
 * database can be opened all the same. */
#define RESERVE_NAME "reserve"
/* Bytes of the reserve. With too little room for it, half as many are tried, and so on. */
#define RESERVE_BYTES ((size_t)512 << 10)
/* Bytes. A smaller reserve than this is not made. */
#define RESERVE_LEAST ((size_t)32 << 10)
/* The reserve is made while the disk has more than this many times RESERVE_BYTES free. */
#define RESERVE_SHARE 4u

struct key_store {
    char *path;
    struct database *database;
    struct database_batch *batch;
};

static char *reserve_name(const char *path)
{
    struct text name = {0};
    text_printf(&name, "%s/" RESERVE_NAME "%c", path, '\0');
    return (char *)name.at;
}

/* Makes the reserve, unless it is there or the disk is too full. was_needed: it was removed just
 * now to open the database; then it is made again whatever is free, as large as fits. */
static void lay_down_reserve(const char *path, bool was_needed)
{
    struct statvfs about;
    char *name = reserve_name(path);
    bool wanted =
        access(name, F_OK) != 0 && statvfs(path, &about) == 0 &&
        (was_needed || (uint64_t)about.f_bavail * about.f_frsize / RESERVE_SHARE > RESERVE_BYTES);
    int fd = wanted ? open(name, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640) : -1;
    size_t bytes = RESERVE_BYTES;
    while (fd >= 0 && bytes >= RESERVE_LEAST && posix_fallocate(fd, 0, (off_t)bytes) != 0)
        bytes /= 2;
    if (fd >= 0)
        close(fd);
    if (fd >= 0 && bytes < RESERVE_LEAST)
        unlink(name);
    free(name);
}

static void give_up_reserve(const char *path)
{
    char *name = reserve_name(path);
    unlink(name);
    free(name);
}

static enum status write_batch(struct key_store *store)
{
    char *error = NULL;
    enum status status = STATUS_OK;
    if (database_must_reopen(store->database))
        status = database_reopen(store->database, &error);
    if (status == STATUS_OK)
        status = database_write(store->database, store->batch, &error);
    free(error);
    database_batch_clear(store->batch);
    return status == STATUS_OK || status == STATUS_NO_SPACE ? status : STATUS_IO;
}

static void add_sealed(struct key_store *store, struct bytes key, struct bytes value)
{
    struct text sealed = {0};
    size_t from = record_begin(&sealed);
    text_add_bytes(&sealed, value);
    record_seal(&sealed, from, key);
    database_batch_put(store->batch, key, text_bytes(&sealed));
    text_free(&sealed);
}

/* Keys get the prefix of definitions, which keeps them apart from the version record. */
static void definition_key(struct text *out, struct bytes key)
{
    record_key_definition(out, key);
}

static bool on_version(void *context, struct bytes key, struct bytes value)
{
    (void)key;
    bool is_old; /* not needed: the store's records are the same in both versions */
    *(enum status *)context = record_version_decode(value, &is_old);
    return false;
}

static enum status begin(struct key_store *store, char **error)
{
    enum status version = STATUS_NOT_FOUND;
    enum status status = database_walk(store->database, bytes_of_text("v"), bytes_of_text("w"),
                                       on_version, &version, error);
    if (status != STATUS_OK)
        return status;
    if (version == STATUS_NOT_FOUND) {
        struct record_key key = record_key_version();
        struct text value = {0};
        record_version_encode(&value);
        database_batch_put(store->batch, record_key_bytes(&key), text_bytes(&value));
        text_free(&value);
        version = write_batch(store);
    }
    if (version != STATUS_OK)
        *error = mem_need_text(status_text(version), strlen(status_text(version)));
    return version;
}

bool key_store_exists(const char *path)
{
    return database_exists(path);
}

enum status key_store_open(const char *path, struct key_store **out, char **error)
{
    *error = NULL;
    *out = NULL;
    if (database_exists(path)) {
        struct verify_rest rest;
        enum verify_after after =
            clean_is_marked(path) ? VERIFY_AFTER_CLEAN_STOP : VERIFY_AFTER_CRASH;
        enum status status = verify_database(path, UINT64_MAX, after, &rest, error);
        free(rest.tables);
        free(rest.cut);
        if (status == STATUS_OK)
            status = clean_unmark(path);
        if (status != STATUS_OK)
            return status;
    }
    struct key_store *store = mem_need(sizeof *store);
    store->path = mem_need_text(path, strlen(path));
    store->batch = database_batch_new();
    enum status status = database_open(path, true, &store->database, error);
    bool was_full = status == STATUS_NO_SPACE;
    if (was_full) {
        free(*error);
        give_up_reserve(path);
        status = database_open(path, true, &store->database, error);
    }
    if (status == STATUS_OK)
        status = begin(store, error);
    if (status == STATUS_OK)
        lay_down_reserve(path, was_full);
    if (status != STATUS_OK) {
        key_store_close(&store);
        return status;
    }
    *out = store;
    return STATUS_OK;
}

void key_store_close(struct key_store **store)
{
    struct key_store *gone = *store;
    *store = NULL;
    if (!gone)
        return;
    bool clean = gone->database && !database_must_reopen(gone->database);
    database_close(&gone->database);
    if (clean)
        clean_mark(gone->path);
    free(gone->path);
    database_batch_free(&gone->batch);
    free(gone);
}

void key_store_put(struct key_store *store, struct bytes key, struct bytes value)
{
    struct text full = {0};
    definition_key(&full, key);
    add_sealed(store, text_bytes(&full), value);
    text_free(&full);
}

void key_store_erase(struct key_store *store, struct bytes key)
{
    struct text full = {0};
    definition_key(&full, key);
    database_batch_erase(store->batch, text_bytes(&full));
    text_free(&full);
}

enum status key_store_commit(struct key_store *store)
{
    return write_batch(store);
}

struct each {
    void (*call)(void *context, struct bytes key, struct bytes value);
    void *context;
    enum status status;
};

static bool on_pair(void *context, struct bytes key, struct bytes value)
{
    struct each *each = context;
    struct bytes payload;
    each->status = record_open(key, value, &payload);
    if (each->status != STATUS_OK)
        return false;
    each->call(each->context, bytes_of(key.at + 1, key.len - 1), payload);
    return true;
}

enum status key_store_each(struct key_store *store, struct bytes prefix,
                           void (*call)(void *context, struct bytes key, struct bytes value),
                           void *context)
{
    struct each each = {call, context, STATUS_OK};
    struct text from = {0}, to = {0};
    definition_key(&from, prefix);
    text_add_bytes(&to, text_bytes(&from));
    /* `to` is the first key behind those with the prefix. There is one: the first byte of from says
     * what kind of record it is, and no kind is 0xff. */
    while (to.at[to.len - 1] == 0xff)
        to.len--;
    to.at[to.len - 1]++;
    char *error = NULL;
    if (database_must_reopen(store->database) &&
        database_reopen(store->database, &error) != STATUS_OK)
        each.status = STATUS_IO;
    free(error);
    error = NULL;
    if (each.status == STATUS_OK) {
        enum status status = database_walk(store->database, text_bytes(&from), text_bytes(&to),
                                           on_pair, &each, &error);
        if (status != STATUS_OK)
            each.status = status;
    }
    free(error);
    text_free(&from);
    text_free(&to);
    return each.status;
}
