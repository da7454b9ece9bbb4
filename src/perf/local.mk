# What src/perf builds: leveret-perf, the load tool.
noinst_LIBRARIES += src/perf/libperf.a
src_perf_libperf_a_CPPFLAGS = $(AM_CPPFLAGS) $(JANSSON_CFLAGS) $(CRYPTO_CFLAGS)
src_perf_libperf_a_SOURCES = \
	src/perf/churn.c \
	src/perf/client.c src/perf/client.h \
	src/perf/consumer.c \
	src/perf/drive.c src/perf/drive.h \
	src/perf/figures.h \
	src/perf/histogram.c src/perf/histogram.h \
	src/perf/idle.c \
	src/perf/lane.h \
	src/perf/options.c src/perf/options.h \
	src/perf/peer.c src/perf/peer.h \
	src/perf/process.c src/perf/process.h \
	src/perf/publisher.c \
	src/perf/report.c src/perf/report.h \
	src/perf/rounds.h \
	src/perf/run.c src/perf/run.h \
	src/perf/secure.c src/perf/secure.h \
	src/perf/target.c src/perf/target.h \
	src/perf/topology.c src/perf/topology.h

bin_PROGRAMS += leveret-perf
leveret_perf_SOURCES = src/perf/main.c
leveret_perf_LDADD = src/perf/libperf.a src/wire/libwire.a src/base/libbase.a $(JANSSON_LIBS) \
	$(XXHASH_LIBS) $(CRYPTO_LIBS) -lm
dist_man_MANS += man/leveret-perf.1
EXTRA_DIST += scripts/bench-peers

if HAVE_CHECK
check_PROGRAMS += tests/unit/test_perf
TESTS += tests/unit/test_perf
tests_unit_test_perf_SOURCES = tests/unit/test_perf.c
tests_unit_test_perf_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/src/perf
tests_unit_test_perf_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_perf_LDADD = src/perf/libperf.a src/wire/libwire.a src/base/libbase.a \
	$(JANSSON_LIBS) $(XXHASH_LIBS) $(CRYPTO_LIBS) $(CHECK_LIBS) -lm
endif
