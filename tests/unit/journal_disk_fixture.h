/* A LevelDB journal for a test program, and words for what it must have kept. */
#ifndef TESTS_JOURNAL_DISK_FIXTURE_H
#define TESTS_JOURNAL_DISK_FIXTURE_H

#include <check.h>

#include "journal_disk.h"
#include "leveret/base/number.h"
#include "leveret/base/random.h"

static struct journal_disk disk;
#define J disk.journal
#define P disk.probe

static inline void setup(void)
{
    disk_begin(&disk, NULL);
}

static inline void teardown(void)
{
    disk_end(&disk);
}

static inline void append_many(struct journal_lane *lane, uint64_t from, uint64_t to,
                               size_t body_bytes)
{
    for (uint64_t seq = from; seq < to; seq++)
        probe_append(J, lane, seq, body_bytes);
}

static inline void check_page(uint64_t from, uint64_t to, size_t body_bytes)
{
    ck_assert_int_eq(P.page_status, STATUS_OK);
    ck_assert_uint_eq(P.page_count, to - from);
    for (uint64_t i = 0; i < to - from; i++) {
        ck_assert_uint_eq(P.page[i].seq, from + i);
        ck_assert(probe_message_is(P.page[i].message, from + i, body_bytes));
    }
}

#endif
