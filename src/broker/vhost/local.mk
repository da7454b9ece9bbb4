# What src/broker/vhost builds: a virtual host from call to call.
noinst_LIBRARIES += src/broker/vhost/libvhost.a
src_broker_vhost_libvhost_a_CPPFLAGS = $(AM_CPPFLAGS) $(XXHASH_CFLAGS)
src_broker_vhost_libvhost_a_SOURCES = \
	include/leveret/broker/sample.h \
	include/leveret/broker/trial.h \
	include/leveret/broker/vhost.h \
	src/broker/vhost_state.h \
	src/broker/vhost/announce.c \
	src/broker/vhost/announce.h \
	src/broker/vhost/attach.c \
	src/broker/vhost/attach.h \
	src/broker/vhost/listing.c \
	src/broker/vhost/observe.c \
	src/broker/vhost/observe.h \
	src/broker/vhost/recover.c \
	src/broker/vhost/recover_dedup.c \
	src/broker/vhost/recover_dedup.h \
	src/broker/vhost/sample.c \
	src/broker/vhost/sample.h \
	src/broker/vhost/trial.c \
	src/broker/vhost/turn.c \
	src/broker/vhost/turn.h \
	src/broker/vhost/vhost.c

if HAVE_CHECK
vhost_tests = \
	tests/unit/test_core \
	tests/unit/test_core_disk \
	tests/unit/test_core_leveldb \
	tests/unit/test_core_random \
	tests/unit/test_core_time \
	tests/unit/test_counters \
	tests/unit/test_sample \
	tests/unit/test_work
check_PROGRAMS += $(vhost_tests)
TESTS += $(vhost_tests)
tests_unit_test_core_SOURCES = tests/unit/test_core.c $(core_harness)
tests_unit_test_core_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_unit_test_core_LDADD = $(core_test_libs)
tests_unit_test_sample_SOURCES = tests/unit/test_sample.c $(core_harness)
tests_unit_test_sample_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_unit_test_sample_LDADD = $(core_test_libs)
tests_unit_test_core_disk_SOURCES = tests/unit/test_core_disk.c $(core_harness)
tests_unit_test_core_disk_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_unit_test_core_disk_LDADD = $(core_test_libs)
# The random conversations again, with the journal on LevelDB.
tests_unit_test_core_leveldb_SOURCES = tests/unit/test_core_random.c \
	tests/unit/core_random_model.h $(core_harness)
tests_unit_test_core_leveldb_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS) -DHARNESS_LEVELDB
tests_unit_test_core_leveldb_LDADD = $(core_test_libs) $(LEVELDB_LIBS)
tests_unit_test_core_random_SOURCES = tests/unit/test_core_random.c \
	tests/unit/core_random_model.h $(core_harness)
tests_unit_test_core_random_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_unit_test_core_random_LDADD = $(core_test_libs)
tests_unit_test_core_time_SOURCES = tests/unit/test_core_time.c $(core_harness)
tests_unit_test_core_time_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_unit_test_core_time_LDADD = $(core_test_libs)
tests_unit_test_counters_SOURCES = tests/unit/test_counters.c $(core_harness)
tests_unit_test_counters_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_unit_test_counters_LDADD = $(core_test_libs)
tests_unit_test_work_SOURCES = tests/unit/test_work.c $(core_harness)
tests_unit_test_work_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_unit_test_work_LDADD = $(core_test_libs)
endif

# Not installed, not a test: tests/bench/core_bench prints what a message costs in the core.
noinst_PROGRAMS += tests/bench/core_bench
tests_bench_core_bench_SOURCES = tests/bench/core_bench.c
tests_bench_core_bench_LDADD = $(broker_libs) src/wire/libwire.a src/base/libbase.a \
	$(PCRE2_LIBS) $(XXHASH_LIBS) $(CRYPTO_LIBS)
