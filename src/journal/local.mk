# What src/journal builds: the journal on LevelDB, the journal in memory, and the node's store.
noinst_LIBRARIES += src/journal/libjournal.a
src_journal_libjournal_a_CPPFLAGS = $(AM_CPPFLAGS) $(XXHASH_CFLAGS)
src_journal_libjournal_a_SOURCES = \
	include/leveret/journal/journal.h \
	include/leveret/journal/journal_leveldb.h \
	include/leveret/journal/journal_memory.h \
	src/journal/batch.c \
	src/journal/batch.h \
	src/journal/clean.c \
	src/journal/clean.h \
	src/journal/counts.c \
	src/journal/counts.h \
	src/journal/crc32c.c \
	src/journal/crc32c.h \
	src/journal/database.h \
	src/journal/encode.c \
	src/journal/engine.c \
	src/journal/engine.h \
	src/journal/inspect.c \
	src/journal/inspect.h \
	src/journal/lane.c \
	src/journal/lane.h \
	src/journal/leveldb.c \
	src/journal/memory.c \
	src/journal/page_in.c \
	src/journal/paged.c \
	src/journal/plan.c \
	src/journal/record.c \
	src/journal/record.h \
	src/journal/recount.c \
	src/journal/recovery.c \
	src/journal/relocate.c \
	src/journal/segments.c \
	src/journal/segments.h \
	src/journal/shelf.c \
	src/journal/shelf.h \
	src/journal/sizes.c \
	src/journal/sizes.h \
	src/journal/space.c \
	src/journal/space.h \
	src/journal/store.c \
	src/journal/threads.c \
	src/journal/threads.h \
	src/journal/verify.c \
	src/journal/verify.h \
	src/journal/verify_format.c \
	src/journal/write.c

if HAVE_CHECK
journal_tests = tests/unit/test_journal_record tests/unit/test_journal_memory tests/unit/test_journal_leveldb \
	tests/unit/test_journal_damage tests/unit/test_journal_failure tests/unit/test_journal_sizes \
	tests/unit/test_journal_torn
check_PROGRAMS += $(journal_tests)
TESTS += $(journal_tests)

journal_test_cppflags = $(AM_CPPFLAGS) -I$(top_srcdir)/src/journal $(CHECK_CFLAGS)
journal_test_libs = src/journal/libjournal.a src/base/libbase.a $(CHECK_LIBS) $(XXHASH_LIBS) \
	$(LEVELDB_LIBS)
journal_test_sources = tests/unit/journal_probe.c tests/unit/journal_probe.h \
	tests/unit/journal_disk.c tests/unit/journal_disk.h

tests_unit_test_journal_memory_SOURCES = tests/unit/test_journal_memory.c \
	tests/unit/journal_probe.c tests/unit/journal_probe.h
tests_unit_test_journal_memory_CPPFLAGS = $(journal_test_cppflags)
tests_unit_test_journal_memory_LDADD = src/journal/libjournal.a src/base/libbase.a \
	$(CHECK_LIBS) $(XXHASH_LIBS)

tests_unit_test_journal_record_SOURCES = tests/unit/test_journal_record.c \
	tests/unit/journal_probe.c tests/unit/journal_probe.h
tests_unit_test_journal_record_CPPFLAGS = $(journal_test_cppflags)
tests_unit_test_journal_record_LDADD = src/journal/libjournal.a src/base/libbase.a \
	$(CHECK_LIBS) $(XXHASH_LIBS)

tests_unit_test_journal_leveldb_SOURCES = tests/unit/test_journal_leveldb.c $(journal_test_sources)
tests_unit_test_journal_leveldb_CPPFLAGS = $(journal_test_cppflags)
tests_unit_test_journal_leveldb_LDADD = $(journal_test_libs)

tests_unit_test_journal_damage_SOURCES = tests/unit/test_journal_damage.c $(journal_test_sources)
tests_unit_test_journal_damage_CPPFLAGS = $(journal_test_cppflags)
tests_unit_test_journal_damage_LDADD = $(journal_test_libs)

tests_unit_test_journal_sizes_SOURCES = tests/unit/test_journal_sizes.c $(journal_test_sources)
tests_unit_test_journal_sizes_CPPFLAGS = $(journal_test_cppflags)
tests_unit_test_journal_sizes_LDADD = $(journal_test_libs)

tests_unit_test_journal_torn_SOURCES = tests/unit/test_journal_torn.c $(journal_test_sources)
tests_unit_test_journal_torn_CPPFLAGS = $(journal_test_cppflags)
tests_unit_test_journal_torn_LDADD = $(journal_test_libs)

tests_unit_test_journal_failure_SOURCES = tests/unit/test_journal_failure.c $(journal_test_sources) \
	$(scarce)
tests_unit_test_journal_failure_CPPFLAGS = $(journal_test_cppflags) -I$(top_srcdir)/tests/support
tests_unit_test_journal_failure_LDFLAGS = $(AM_LDFLAGS) $(scarce_ldflags)
tests_unit_test_journal_failure_LDADD = $(journal_test_libs)
endif

# Not run by any test: how fast the journal is.
noinst_PROGRAMS += tests/bench/journal_bench
tests_bench_journal_bench_SOURCES = tests/bench/journal_bench.c
tests_bench_journal_bench_LDADD = src/journal/libjournal.a src/base/libbase.a $(XXHASH_LIBS) \
	$(LEVELDB_LIBS)
