# What src/broker/dedup builds: what came before.
noinst_LIBRARIES += src/broker/dedup/libdedup.a
src_broker_dedup_libdedup_a_CPPFLAGS = $(AM_CPPFLAGS) $(XXHASH_CFLAGS)
src_broker_dedup_libdedup_a_SOURCES = \
	src/broker/dedup/dedup.c \
	src/broker/dedup/dedup.h \
	src/broker/dedup/dedup_cache.c \
	src/broker/dedup/dedup_cache.h \
	src/broker/dedup/dedup_store.c \
	src/broker/dedup/dedup_store.h

if HAVE_CHECK
dedup_tests = \
	tests/unit/test_dedup \
	tests/unit/test_dedup_queue
check_PROGRAMS += $(dedup_tests)
TESTS += $(dedup_tests)
tests_unit_test_dedup_SOURCES = tests/unit/test_dedup.c tests/unit/dedup_fixture.h $(core_harness)
tests_unit_test_dedup_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_unit_test_dedup_LDADD = $(core_test_libs)
tests_unit_test_dedup_queue_SOURCES = tests/unit/test_dedup_queue.c tests/unit/dedup_fixture.h \
	$(core_harness)
tests_unit_test_dedup_queue_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_unit_test_dedup_queue_LDADD = $(core_test_libs)
endif
