# What src/broker/topology builds: routing: exchanges, bindings, which queues a message goes to.
noinst_LIBRARIES += src/broker/topology/libtopology.a
src_broker_topology_libtopology_a_CPPFLAGS = $(AM_CPPFLAGS) $(XXHASH_CFLAGS)
src_broker_topology_libtopology_a_SOURCES = \
	src/broker/topology/binding.h \
	src/broker/topology/copies.c \
	src/broker/topology/copies.h \
	src/broker/topology/dedup_arguments.c \
	src/broker/topology/dedup_arguments.h \
	src/broker/topology/delayed.h \
	src/broker/topology/endpoint.h \
	src/broker/topology/exchange.h \
	src/broker/topology/exchange_delayed.c \
	src/broker/topology/exchange_direct.c \
	src/broker/topology/exchange_fanout.c \
	src/broker/topology/exchange_hash.c \
	src/broker/topology/exchange_headers.c \
	src/broker/topology/exchange_history.c \
	src/broker/topology/exchange_history.h \
	src/broker/topology/exchange_pick.c \
	src/broker/topology/exchange_topic.c \
	src/broker/topology/exchange_type.c \
	src/broker/topology/hash_ring.c \
	src/broker/topology/hash_ring.h \
	src/broker/topology/header_list.c \
	src/broker/topology/header_list.h \
	src/broker/topology/own_headers.h \
	src/broker/topology/route.c \
	src/broker/topology/route.h \
	src/broker/topology/routing.h \
	src/broker/topology/stable_hash.c \
	src/broker/topology/stable_hash.h \
	src/broker/topology/topology.c \
	src/broker/topology/topology.h \
	src/broker/topology/topology_find.c \
	src/broker/topology/topology_state.h

if HAVE_CHECK
topology_tests = \
	tests/unit/test_exchange \
	tests/unit/test_exchange_hash \
	tests/unit/test_headers \
	tests/unit/test_route \
	tests/unit/test_topic
check_PROGRAMS += $(topology_tests)
TESTS += $(topology_tests)
tests_unit_test_exchange_SOURCES = tests/unit/test_exchange.c tests/unit/topology_fixture.h
tests_unit_test_exchange_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_unit_test_exchange_LDADD = $(broker_topology_test_libs)
tests_unit_test_exchange_hash_SOURCES = tests/unit/test_exchange_hash.c \
	tests/unit/topology_fixture.h
tests_unit_test_exchange_hash_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_unit_test_exchange_hash_LDADD = $(broker_topology_test_libs)
tests_unit_test_headers_SOURCES = tests/unit/test_headers.c tests/unit/topology_fixture.h
tests_unit_test_headers_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_unit_test_headers_LDADD = $(broker_topology_test_libs)
tests_unit_test_route_SOURCES = tests/unit/test_route.c tests/unit/topology_fixture.h
tests_unit_test_route_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_unit_test_route_LDADD = $(broker_topology_test_libs)
tests_unit_test_topic_SOURCES = tests/unit/test_topic.c tests/unit/topology_fixture.h
tests_unit_test_topic_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_unit_test_topic_LDADD = $(broker_topology_test_libs)
endif

# Not installed, not a test: tests/bench/route_bench prints what a route costs.
noinst_PROGRAMS += tests/bench/route_bench
tests_bench_route_bench_SOURCES = tests/bench/route_bench.c
tests_bench_route_bench_LDADD = $(broker_libs) src/wire/libwire.a src/base/libbase.a \
	$(XXHASH_LIBS) $(CRYPTO_LIBS)
