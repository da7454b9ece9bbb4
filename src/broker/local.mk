# What src/broker builds: the pure core, a library for each folder. Whatever links the core links all of them, from top to
# bottom.
broker_libs = src/broker/vhost/libvhost.a \
	src/broker/command/libcommand.a \
	src/broker/publish/libpublish.a \
	src/broker/queue/libqueue.a \
	src/broker/policy/libpolicy.a \
	src/broker/delay/libdelay.a \
	src/broker/dedup/libdedup.a \
	src/broker/channel/libchannel.a \
	src/broker/notice/libnotice.a \
	src/broker/store/libstore.a \
	src/broker/topology/libtopology.a \
	src/broker/call/libcall.a

# What its tests link. core_harness drives a vhost; topology_fixture makes exchanges and bindings without one. Tests of the
# lower folders link their folder and what stands below it, so that the linker checks the storeys.
core_harness = tests/unit/core_harness.c tests/unit/core_commands.c tests/unit/core_harness.h
core_test_libs = $(broker_libs) src/journal/libjournal.a src/wire/libwire.a \
	src/base/libbase.a $(PCRE2_LIBS) $(XXHASH_LIBS) $(CRYPTO_LIBS) $(CHECK_LIBS)
broker_floor_libs = src/wire/libwire.a src/base/libbase.a $(PCRE2_LIBS) $(XXHASH_LIBS) $(CRYPTO_LIBS) \
	$(CHECK_LIBS)
broker_topology_test_libs = src/broker/topology/libtopology.a src/broker/call/libcall.a \
	$(broker_floor_libs)
broker_store_test_libs = src/broker/store/libstore.a src/broker/topology/libtopology.a src/broker/call/libcall.a \
	$(broker_floor_libs)
broker_channel_test_libs = src/broker/channel/libchannel.a src/broker/notice/libnotice.a \
	src/broker/store/libstore.a src/broker/topology/libtopology.a src/broker/call/libcall.a \
	$(broker_floor_libs)
broker_policy_test_libs = src/broker/policy/libpolicy.a src/broker/topology/libtopology.a src/broker/call/libcall.a \
	$(broker_floor_libs)

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
