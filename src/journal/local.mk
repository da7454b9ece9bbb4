# What src/journal builds: two journals behind one interface.
noinst_LIBRARIES += src/journal/libjournal.a
src_journal_libjournal_a_CPPFLAGS = $(AM_CPPFLAGS) $(XXHASH_CFLAGS)
src_journal_libjournal_a_SOURCES = \
	include/leveret/journal/journal.h \
	src/journal/sizes.c src/journal/sizes.h \
	src/journal/slots.c src/journal/slots.h

include src/journal/leveldb/local.mk
include src/journal/memory/local.mk
