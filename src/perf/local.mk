# What src/perf builds: leveret-perf, the load tool.
bin_PROGRAMS += leveret-perf
dist_man_MANS += man/leveret-perf.1
leveret_perf_CPPFLAGS = $(AM_CPPFLAGS) $(JANSSON_CFLAGS)
leveret_perf_LDADD = src/wire/libwire.a src/base/libbase.a $(JANSSON_LIBS) $(XXHASH_LIBS) -lm
leveret_perf_SOURCES = \
	src/perf/churn.c \
	src/perf/client.c src/perf/client.h \
	src/perf/consumer.c \
	src/perf/drive.c src/perf/drive.h \
	src/perf/figures.h \
	src/perf/histogram.c src/perf/histogram.h \
	src/perf/idle.c \
	src/perf/lane.h \
	src/perf/main.c \
	src/perf/options.c src/perf/options.h \
	src/perf/peer.c src/perf/peer.h \
	src/perf/process.c src/perf/process.h \
	src/perf/publisher.c \
	src/perf/report.c src/perf/report.h \
	src/perf/rounds.h \
	src/perf/run.c src/perf/run.h \
	src/perf/target.c src/perf/target.h \
	src/perf/topology.c src/perf/topology.h

EXTRA_DIST += scripts/bench-peers
