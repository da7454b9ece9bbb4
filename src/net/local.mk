# What src/net builds: listeners and connections.
noinst_LIBRARIES += src/net/libnet.a
src_net_libnet_a_SOURCES = \
	include/leveret/net/address.h \
	include/leveret/net/connection.h \
	include/leveret/net/listener.h \
	include/leveret/net/net_worker.h \
	include/leveret/net/quota.h \
	include/leveret/net/tls.h \
	include/leveret/net/transport.h \
	src/net/address.c \
	src/net/connection.c \
	src/net/connection_state.h \
	src/net/crowd.c \
	src/net/crowd.h \
	src/net/flush.c \
	src/net/flush.h \
	src/net/input.c \
	src/net/input.h \
	src/net/leaving.c \
	src/net/leaving.h \
	src/net/listener.c \
	src/net/listener_place.c \
	src/net/listener_place.h \
	src/net/net_worker.c \
	src/net/net_worker_state.h \
	src/net/output.c \
	src/net/output.h \
	src/net/tls.c \
	src/net/tls_peer.c \
	src/net/tls_state.h \
	src/net/transport_plain.c \
	src/net/transport_tls.c

net_test_libs = src/net/libnet.a src/runtime/libruntime.a src/wire/libwire.a src/base/libbase.a \
	$(EVENT_LIBS) $(XXHASH_LIBS) $(CRYPTO_LIBS)

if HAVE_CHECK
check_PROGRAMS += tests/unit/test_connection tests/unit/test_connection_end tests/unit/test_listener \
	tests/unit/test_tls
TESTS += tests/unit/test_connection tests/unit/test_connection_end tests/unit/test_listener \
	tests/unit/test_tls
tests_unit_test_connection_SOURCES = tests/unit/test_connection.c \
	tests/unit/connection_fixture.h $(scarce)
tests_unit_test_connection_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS) -I$(top_srcdir)/tests/support
tests_unit_test_connection_LDFLAGS = $(AM_LDFLAGS) $(scarce_ldflags)
tests_unit_test_connection_LDADD = $(net_test_libs) $(CHECK_LIBS)
tests_unit_test_connection_end_SOURCES = tests/unit/test_connection_end.c \
	tests/unit/connection_fixture.h $(scarce)
tests_unit_test_connection_end_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS) \
	-I$(top_srcdir)/tests/support
tests_unit_test_connection_end_LDFLAGS = $(AM_LDFLAGS) $(scarce_ldflags)
tests_unit_test_connection_end_LDADD = $(net_test_libs) $(CHECK_LIBS)
tests_unit_test_listener_SOURCES = tests/unit/test_listener.c
tests_unit_test_listener_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_unit_test_listener_LDADD = $(net_test_libs) $(CHECK_LIBS)
tests_unit_test_tls_SOURCES = tests/unit/test_tls.c
tests_unit_test_tls_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS) $(CRYPTO_CFLAGS)
tests_unit_test_tls_LDADD = $(net_test_libs) $(CHECK_LIBS)
endif

noinst_PROGRAMS += tests/bench/net_bench
tests_bench_net_bench_SOURCES = tests/bench/net_bench.c
tests_bench_net_bench_LDADD = $(net_test_libs)
