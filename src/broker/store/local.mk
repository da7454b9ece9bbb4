# What src/broker/store builds: messages in order, in memory and on record.
noinst_LIBRARIES += src/broker/store/libstore.a
src_broker_store_libstore_a_CPPFLAGS = $(AM_CPPFLAGS) $(XXHASH_CFLAGS)
src_broker_store_libstore_a_SOURCES = \
	src/broker/store/chunk.c \
	src/broker/store/chunk.h \
	src/broker/store/definition.c \
	src/broker/store/definition.h \
	src/broker/store/lane.c \
	src/broker/store/lane.h \
	src/broker/store/page_reader.c \
	src/broker/store/page_reader.h \
	src/broker/store/paging.c \
	src/broker/store/paging.h \
	src/broker/store/returns.c \
	src/broker/store/returns.h \
	src/broker/store/store.c \
	src/broker/store/store.h

if HAVE_CHECK
store_tests = \
	tests/unit/test_chunk \
	tests/unit/test_definition
check_PROGRAMS += $(store_tests)
TESTS += $(store_tests)
tests_unit_test_chunk_SOURCES = tests/unit/test_chunk.c
tests_unit_test_chunk_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_unit_test_chunk_LDADD = $(broker_store_test_libs)
tests_unit_test_definition_SOURCES = tests/unit/test_definition.c tests/unit/topology_fixture.h
tests_unit_test_definition_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_unit_test_definition_LDADD = $(broker_store_test_libs)
endif
