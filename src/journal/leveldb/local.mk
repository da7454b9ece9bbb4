# What src/journal/leveldb builds: the journal on LevelDB, and the node's store.
src_journal_libjournal_a_SOURCES += \
	include/leveret/journal/journal_leveldb.h \
	include/leveret/journal/key_store.h \
	src/journal/leveldb/batch.c \
	src/journal/leveldb/batch.h \
	src/journal/leveldb/clean.c \
	src/journal/leveldb/clean.h \
	src/journal/leveldb/commit.c \
	src/journal/leveldb/crc32c.c \
	src/journal/leveldb/crc32c.h \
	src/journal/leveldb/database.h \
	src/journal/leveldb/encode.c \
	src/journal/leveldb/engine.c \
	src/journal/leveldb/engine.h \
	src/journal/leveldb/inspection.c \
	src/journal/leveldb/inspection.h \
	src/journal/leveldb/io_count.h \
	src/journal/leveldb/key_store.c \
	src/journal/leveldb/leveldb.c \
	src/journal/leveldb/page_in.c \
	src/journal/leveldb/page_read.c \
	src/journal/leveldb/paged.c \
	src/journal/leveldb/plan.c \
	src/journal/leveldb/record.c \
	src/journal/leveldb/record.h \
	src/journal/leveldb/recount.c \
	src/journal/leveldb/recovery.c \
	src/journal/leveldb/relocate.c \
	src/journal/leveldb/segment_file.c \
	src/journal/leveldb/segment_file.h \
	src/journal/leveldb/segments.c \
	src/journal/leveldb/segments.h \
	src/journal/leveldb/space.c \
	src/journal/leveldb/space.h \
	src/journal/leveldb/stored_chunk.c \
	src/journal/leveldb/stored_chunk.h \
	src/journal/leveldb/stored_lane.c \
	src/journal/leveldb/stored_lane.h \
	src/journal/leveldb/threads.c \
	src/journal/leveldb/threads.h \
	src/journal/leveldb/verify.c \
	src/journal/leveldb/verify.h \
	src/journal/leveldb/verify_format.c

if HAVE_CHECK
leveldb_tests = tests/unit/test_journal_record tests/unit/test_journal_leveldb \
	tests/unit/test_journal_segments \
	tests/unit/test_journal_damage tests/unit/test_journal_failure tests/unit/test_journal_sizes \
	tests/unit/test_journal_torn
check_PROGRAMS += $(leveldb_tests)
TESTS += $(leveldb_tests)

journal_test_libs = src/journal/libjournal.a src/base/libbase.a $(CHECK_LIBS) $(XXHASH_LIBS) \
	$(LEVELDB_LIBS)
journal_test_sources = tests/unit/journal_probe.c tests/unit/journal_probe.h \
	tests/unit/journal_disk.c tests/unit/journal_disk.h

tests_unit_test_journal_record_SOURCES = tests/unit/test_journal_record.c \
	tests/unit/journal_probe.c tests/unit/journal_probe.h
tests_unit_test_journal_record_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_unit_test_journal_record_LDADD = src/journal/libjournal.a src/base/libbase.a \
	$(CHECK_LIBS) $(XXHASH_LIBS)

tests_unit_test_journal_leveldb_SOURCES = tests/unit/test_journal_leveldb.c \
	tests/unit/journal_disk_fixture.h $(journal_test_sources)
tests_unit_test_journal_leveldb_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_unit_test_journal_leveldb_LDADD = $(journal_test_libs)
tests_unit_test_journal_segments_SOURCES = tests/unit/test_journal_segments.c \
	tests/unit/journal_disk_fixture.h $(journal_test_sources)
tests_unit_test_journal_segments_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_unit_test_journal_segments_LDADD = $(journal_test_libs)

tests_unit_test_journal_damage_SOURCES = tests/unit/test_journal_damage.c $(journal_test_sources)
tests_unit_test_journal_damage_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_unit_test_journal_damage_LDADD = $(journal_test_libs)

tests_unit_test_journal_sizes_SOURCES = tests/unit/test_journal_sizes.c $(journal_test_sources)
tests_unit_test_journal_sizes_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_unit_test_journal_sizes_LDADD = $(journal_test_libs)

tests_unit_test_journal_torn_SOURCES = tests/unit/test_journal_torn.c $(journal_test_sources)
tests_unit_test_journal_torn_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_unit_test_journal_torn_LDADD = $(journal_test_libs)

tests_unit_test_journal_failure_SOURCES = tests/unit/test_journal_failure.c \
	$(journal_test_sources) \
	$(scarce)
tests_unit_test_journal_failure_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS) \
	-I$(top_srcdir)/tests/support
tests_unit_test_journal_failure_LDFLAGS = $(AM_LDFLAGS) $(scarce_ldflags)
tests_unit_test_journal_failure_LDADD = $(journal_test_libs)
endif

# Not run by any test: how fast the journal is.
noinst_PROGRAMS += tests/bench/journal_bench
tests_bench_journal_bench_SOURCES = tests/bench/journal_bench.c
tests_bench_journal_bench_LDADD = src/journal/libjournal.a src/base/libbase.a $(XXHASH_LIBS) \
	$(LEVELDB_LIBS)
