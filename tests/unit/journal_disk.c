/* A LevelDB journal in a directory of its own: see journal_disk.h. */
#include "journal_disk.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "leveret/base/check.h"

#define PATIENCE_MS 30000u

static void on_wake(void *context)
{
    (void)context; /* the tests poll */
}

static enum status open_journal(struct journal_disk *disk, char **error)
{
    const struct journal_leveldb_options options = {
        .path = disk->path, .threads = disk->threads, .wake = on_wake};
    const struct journal_callbacks callbacks = probe_callbacks(&disk->probe);
    disk->journal = journal_leveldb_new(&options, &callbacks);
    struct journal_recovery recovery = probe_recovery(&disk->probe);
    return journal_recover(disk->journal, &recovery, error);
}

void disk_open(struct journal_disk *disk)
{
    char *error;
    probe_clear(&disk->probe);
    enum status status = open_journal(disk, &error);
    if (status != STATUS_OK)
        fprintf(stderr, "recovery: %s: %s\n", status_name(status), error);
    CHECK(status == STATUS_OK && !error);
}

void disk_close(struct journal_disk *disk)
{
    journal_free(&disk->journal);
}

void disk_begin(struct journal_disk *disk, const char *base)
{
    memset(disk, 0, sizeof *disk);
    if (!base)
        base = getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp";
    snprintf(disk->directory, sizeof disk->directory, "%s/journal-test-XXXXXX", base);
    CHECK(mkdtemp(disk->directory));
    snprintf(disk->path, sizeof disk->path, "%s/db", disk->directory);
    disk->threads = journal_threads_new(2, NULL);
    disk_open(disk);
}

void disk_shell(const char *format, ...)
{
    char command[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(command, sizeof command, format, args);
    va_end(args);
    CHECK(system(command) == 0);
}

void disk_end(struct journal_disk *disk)
{
    journal_free(&disk->journal);
    journal_threads_free(&disk->threads);
    probe_clear(&disk->probe);
    disk_shell("rm -rf '%s'", disk->directory);
}

void disk_restart(struct journal_disk *disk)
{
    disk_close(disk);
    disk_open(disk);
}

enum status disk_restart_fails(struct journal_disk *disk, char **error)
{
    disk_close(disk);
    probe_clear(&disk->probe);
    enum status status = open_journal(disk, error);
    disk_close(disk);
    return status;
}

/* The database may be compacting: a copy is what a crash leaves only when no file came or went and
 * no manifest grew while it was made. Otherwise it is made again. */
void disk_crash(struct journal_disk *disk)
{
    disk_shell("cd '%s' && until was=$(ls; cat CURRENT MANIFEST-* | cksum) && rm -rf ../copy && "
               "cp -r . ../copy 2>../complaint && [ \"$was\" = \"$(ls; cat CURRENT MANIFEST-* | "
               "cksum)\" ]; do :; done && mv ../copy '%s.copy'",
               disk->path, disk->path);
    disk_close(disk);
    disk_shell("rm -rf '%s' && mv '%s.copy' '%s'", disk->path, disk->path, disk->path);
    disk_open(disk);
}

static void give_up(const struct journal_disk *disk)
{
    fprintf(stderr, "waited in vain; committed %llu, filling %llu, health %s: %s\n",
            (unsigned long long)disk->probe.committed,
            (unsigned long long)journal_filling(disk->journal), status_name(disk->probe.health),
            disk->probe.health_text);
    disk_shell("ls -l '%s' >&2; df '%s' >&2", disk->path, disk->path);
    abort();
}

void disk_await(struct journal_disk *disk, const unsigned *counter, unsigned value)
{
    for (unsigned waited_ms = 0; *counter < value; waited_ms++) {
        if (waited_ms == PATIENCE_MS)
            give_up(disk);
        journal_poll(disk->journal);
        journal_flush(disk->journal);
        if (*counter < value)
            usleep(1000);
    }
}

void disk_commit(struct journal_disk *disk)
{
    uint64_t batch = journal_filling(disk->journal);
    journal_flush(disk->journal);
    for (unsigned waited_ms = 0; disk->probe.committed < batch; waited_ms++) {
        if (journal_filling(disk->journal) == batch && disk->probe.committed + 1 == batch)
            return; /* nothing is in it */
        if (waited_ms == PATIENCE_MS)
            give_up(disk);
        usleep(1000);
        journal_poll(disk->journal);
        journal_flush(disk->journal);
    }
}

void disk_page_in(struct journal_disk *disk, struct journal_lane *lane, uint64_t chunk)
{
    unsigned pages = disk->probe.pages;
    journal_page_in(disk->journal, lane, chunk);
    disk_await(disk, &disk->probe.pages, pages + 1);
}
