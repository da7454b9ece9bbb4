# What src/broker builds: the pure core, a library of the folders below.
noinst_LIBRARIES += src/broker/libbroker.a
src_broker_libbroker_a_CPPFLAGS = $(AM_CPPFLAGS) $(XXHASH_CFLAGS)
src_broker_libbroker_a_SOURCES = src/broker/vhost_state.h

# What its tests link. core_harness drives a vhost; topology_fixture makes exchanges and bindings without one.
routing_test_libs = src/broker/libbroker.a src/wire/libwire.a src/base/libbase.a \
	$(XXHASH_LIBS) $(CRYPTO_LIBS) $(CHECK_LIBS)
core_harness = tests/unit/core_harness.c tests/unit/core_commands.c tests/unit/core_harness.h
core_test_libs = src/broker/libbroker.a src/journal/libjournal.a src/wire/libwire.a \
	src/base/libbase.a $(PCRE2_LIBS) $(XXHASH_LIBS) $(CRYPTO_LIBS) $(CHECK_LIBS)

include src/broker/call/local.mk
include src/broker/topology/local.mk
include src/broker/store/local.mk
include src/broker/notice/local.mk
include src/broker/channel/local.mk
include src/broker/dedup/local.mk
include src/broker/delay/local.mk
include src/broker/policy/local.mk
include src/broker/queue/local.mk
include src/broker/publish/local.mk
include src/broker/command/local.mk
include src/broker/vhost/local.mk
