# What src/broker/delay builds: what waits in exchanges.
noinst_LIBRARIES += src/broker/delay/libdelay.a
src_broker_delay_libdelay_a_CPPFLAGS = $(AM_CPPFLAGS) $(XXHASH_CFLAGS)
src_broker_delay_libdelay_a_SOURCES = \
	src/broker/delay/bucket.c \
	src/broker/delay/bucket.h \
	src/broker/delay/delay.c \
	src/broker/delay/delay.h \
	src/broker/delay/due.c \
	src/broker/delay/due.h

if HAVE_CHECK
delay_tests = \
	tests/unit/test_delay \
	tests/unit/test_delay_random \
	tests/unit/test_delay_leveldb
check_PROGRAMS += $(delay_tests)
TESTS += $(delay_tests)
delay_test = tests/unit/delay_fixture.h $(core_harness)
tests_unit_test_delay_SOURCES = tests/unit/test_delay.c $(delay_test)
tests_unit_test_delay_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_unit_test_delay_LDADD = $(core_test_libs)
tests_unit_test_delay_random_SOURCES = tests/unit/test_delay_random.c $(delay_test)
tests_unit_test_delay_random_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_unit_test_delay_random_LDADD = $(core_test_libs)
# The same with the journal on LevelDB.
tests_unit_test_delay_leveldb_SOURCES = tests/unit/test_delay_random.c $(delay_test)
tests_unit_test_delay_leveldb_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS) -DHARNESS_LEVELDB
tests_unit_test_delay_leveldb_LDADD = $(core_test_libs) $(LEVELDB_LIBS)
endif
