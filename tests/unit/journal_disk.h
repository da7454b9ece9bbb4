/* A LevelDB journal in a directory of its own, for tests: opened, driven and opened again. */
#ifndef TESTS_UNIT_JOURNAL_DISK_H
#define TESTS_UNIT_JOURNAL_DISK_H

#include "journal_probe.h"
#include "leveret/journal/journal_leveldb.h"

struct journal_disk {
    char directory[128], path[160];
    struct journal_threads *threads;
    struct journal *journal;
    struct probe probe;
};

/* A new directory below base (NULL: $TMPDIR or /tmp), and an empty journal. */
void disk_begin(struct journal_disk *disk, const char *base);
/* Closes and removes everything. */
void disk_end(struct journal_disk *disk);

/* Closes and recovers; the probe has what recovery told. */
void disk_restart(struct journal_disk *disk);
/* The same with an error expected; *error as of journal_recover. The journal is closed then. */
enum status disk_restart_fails(struct journal_disk *disk, char **error);
void disk_close(struct journal_disk *disk);
void disk_open(struct journal_disk *disk);
/* As a crash would: what is filling is forgotten, the files are copied before the journal is
 * closed. */
void disk_crash(struct journal_disk *disk);

/* Flushes and waits until everything until now is committed. */
void disk_commit(struct journal_disk *disk);
/* Polls until *counter is at least value; aborts the test after some seconds. */
void disk_await(struct journal_disk *disk, const unsigned *counter, unsigned value);
/* Pages in and waits; the probe has the page. */
void disk_page_in(struct journal_disk *disk, struct journal_lane *lane, uint64_t chunk);
/* Runs a shell command, which must succeed. */
void disk_shell(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
