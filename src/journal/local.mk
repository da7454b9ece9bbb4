# What src/journal builds: the journal on LevelDB, the journal in memory, and the node's store.
noinst_LIBRARIES += src/journal/libjournal.a
src_journal_libjournal_a_CPPFLAGS = $(AM_CPPFLAGS) $(XXHASH_CFLAGS)
src_journal_libjournal_a_SOURCES = \
	include/leveret/journal/journal.h \
	include/leveret/journal/journal_leveldb.h \
	include/leveret/journal/journal_memory.h \
	src/journal/memory.c

if HAVE_CHECK
check_PROGRAMS += tests/unit/test_journal_memory
TESTS += tests/unit/test_journal_memory
tests_unit_test_journal_memory_SOURCES = \
	tests/unit/test_journal_memory.c \
	tests/unit/journal_probe.c \
	tests/unit/journal_probe.h
tests_unit_test_journal_memory_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_unit_test_journal_memory_LDADD = src/journal/libjournal.a src/base/libbase.a \
	$(CHECK_LIBS) $(XXHASH_LIBS)
endif
