# What src/journal/memory builds: the journal in memory, for tests and simulation.
src_journal_libjournal_a_SOURCES += \
	include/leveret/journal/journal_memory.h \
	src/journal/memory/counts.c \
	src/journal/memory/counts.h \
	src/journal/memory/memory.c \
	src/journal/memory/shelf.c \
	src/journal/memory/shelf.h

if HAVE_CHECK
check_PROGRAMS += tests/unit/test_journal_memory
TESTS += tests/unit/test_journal_memory
tests_unit_test_journal_memory_SOURCES = tests/unit/test_journal_memory.c \
	tests/unit/journal_probe.c tests/unit/journal_probe.h
tests_unit_test_journal_memory_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_unit_test_journal_memory_LDADD = src/journal/libjournal.a src/base/libbase.a \
	$(CHECK_LIBS) $(XXHASH_LIBS)
endif
