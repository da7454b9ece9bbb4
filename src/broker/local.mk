# What src/broker builds.
noinst_LIBRARIES += src/broker/libbroker.a
src_broker_libbroker_a_CPPFLAGS = $(AM_CPPFLAGS) $(XXHASH_CFLAGS)
src_broker_libbroker_a_SOURCES = \
	include/leveret/broker/command.h \
	include/leveret/broker/counters.h \
	include/leveret/broker/publication.h \
	include/leveret/broker/queue_type.h \
	include/leveret/broker/vhost.h

# Routing: exchanges, bindings, which queues a message goes to.
src_broker_libbroker_a_SOURCES += \
	src/broker/arguments.c \
	src/broker/arguments.h \
	src/broker/binding.h \
	src/broker/copies.c \
	src/broker/copies.h \
	src/broker/dedup.c \
	src/broker/dedup.h \
	src/broker/dedup_arguments.c \
	src/broker/dedup_arguments.h \
	src/broker/dedup_cache.c \
	src/broker/dedup_cache.h \
	src/broker/dedup_store.c \
	src/broker/dedup_store.h \
	src/broker/definition.c \
	src/broker/definition.h \
	src/broker/delayed.h \
	src/broker/endpoint.h \
	src/broker/exchange.h \
	src/broker/exchange_delayed.c \
	src/broker/exchange_direct.c \
	src/broker/exchange_fanout.c \
	src/broker/exchange_hash.c \
	src/broker/exchange_headers.c \
	src/broker/exchange_history.c \
	src/broker/exchange_history.h \
	src/broker/exchange_pick.c \
	src/broker/exchange_topic.c \
	src/broker/exchange_type.c \
	src/broker/hash_ring.c \
	src/broker/hash_ring.h \
	src/broker/header_list.c \
	src/broker/header_list.h \
	src/broker/refusal.c \
	src/broker/refusal.h \
	src/broker/roster.c \
	src/broker/roster.h \
	src/broker/route.c \
	src/broker/route.h \
	src/broker/routing.h \
	src/broker/stable_hash.c \
	src/broker/stable_hash.h \
	src/broker/topology.c \
	src/broker/topology.h \
	src/broker/topology_state.h

if HAVE_CHECK
routing_tests = \
	tests/unit/test_definition \
	tests/unit/test_exchange \
	tests/unit/test_exchange_hash \
	tests/unit/test_headers \
	tests/unit/test_roster \
	tests/unit/test_route \
	tests/unit/test_topic
check_PROGRAMS += $(routing_tests)
TESTS += $(routing_tests)
routing_test_libs = src/broker/libbroker.a src/wire/libwire.a src/base/libbase.a \
	$(XXHASH_LIBS) $(CRYPTO_LIBS) $(CHECK_LIBS)
tests_unit_test_definition_SOURCES = tests/unit/test_definition.c tests/unit/topology_fixture.h
tests_unit_test_definition_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_unit_test_definition_LDADD = $(routing_test_libs)
tests_unit_test_exchange_SOURCES = tests/unit/test_exchange.c tests/unit/topology_fixture.h
tests_unit_test_exchange_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_unit_test_exchange_LDADD = $(routing_test_libs)
tests_unit_test_exchange_hash_SOURCES = tests/unit/test_exchange_hash.c \
	tests/unit/topology_fixture.h
tests_unit_test_exchange_hash_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_unit_test_exchange_hash_LDADD = $(routing_test_libs)
tests_unit_test_headers_SOURCES = tests/unit/test_headers.c tests/unit/topology_fixture.h
tests_unit_test_headers_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_unit_test_headers_LDADD = $(routing_test_libs)
tests_unit_test_roster_SOURCES = tests/unit/test_roster.c
tests_unit_test_roster_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_unit_test_roster_LDADD = $(routing_test_libs)
tests_unit_test_route_SOURCES = tests/unit/test_route.c tests/unit/topology_fixture.h
tests_unit_test_route_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_unit_test_route_LDADD = $(routing_test_libs)
tests_unit_test_topic_SOURCES = tests/unit/test_topic.c tests/unit/topology_fixture.h
tests_unit_test_topic_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_unit_test_topic_LDADD = $(routing_test_libs)
endif

# Not installed, not a test: tests/bench/route_bench prints what a route costs.
noinst_PROGRAMS += tests/bench/route_bench
tests_bench_route_bench_SOURCES = tests/bench/route_bench.c
tests_bench_route_bench_LDADD = src/broker/libbroker.a src/wire/libwire.a src/base/libbase.a \
	$(XXHASH_LIBS) $(CRYPTO_LIBS)

# The core: queues, consumers, promises, and the commands.
src_broker_libbroker_a_SOURCES += \
	include/leveret/broker/command.h \
	include/leveret/broker/counters.h \
	include/leveret/broker/vhost.h \
	src/broker/bind.c \
	src/broker/bucket.c \
	src/broker/bucket.h \
	src/broker/channel.c \
	src/broker/channel.h \
	src/broker/chunk.c \
	src/broker/chunk.h \
	src/broker/command_gate.c \
	src/broker/consume.c \
	src/broker/consumer.c \
	src/broker/consumer.h \
	src/broker/core.h \
	src/broker/counters.c \
	src/broker/dead_letter.c \
	src/broker/dead_letter.h \
	src/broker/death.c \
	src/broker/death.h \
	src/broker/delay.c \
	src/broker/delay.h \
	src/broker/declare.c \
	src/broker/dispatch.c \
	src/broker/due.c \
	src/broker/due.h \
	src/broker/expiry.c \
	src/broker/event.c \
	src/broker/history.c \
	src/broker/history.h \
	src/broker/holding.c \
	src/broker/holding.h \
	src/broker/lane.c \
	src/broker/length.c \
	src/broker/lane.h \
	src/broker/listing.c \
	src/broker/notice.c \
	src/broker/notice.h \
	src/broker/offspring.c \
	src/broker/offspring.h \
	src/broker/overdue.c \
	src/broker/overdue.h \
	src/broker/paging.c \
	src/broker/peer.c \
	src/broker/peer.h \
	src/broker/policy.c \
	src/broker/policy.h \
	src/broker/policy_apply.c \
	src/broker/priorities.c \
	src/broker/promise.c \
	src/broker/promise.h \
	src/broker/publication.c \
	src/broker/publish.c \
	src/broker/queue.c \
	src/broker/queue.h \
	src/broker/queue_type.c \
	src/broker/recover.c \
	src/broker/reply_to.c \
	src/broker/returns.c \
	src/broker/returns.h \
	src/broker/rewrite.c \
	src/broker/rewrite.h \
	src/broker/setting_check.c \
	src/broker/setting_check.h \
	src/broker/settings.c \
	src/broker/settings.h \
	src/broker/settings_allowed.c \
	src/broker/settle.c \
	src/broker/spread.c \
	src/broker/timeout.c \
	src/broker/tx.c \
	include/leveret/broker/verdict.h \
	src/broker/verdict.c \
	src/broker/work.h \
	src/broker/unsettled.c \
	src/broker/unsettled.h \
	src/broker/vhost.c

if HAVE_CHECK
core_tests = \
	tests/unit/test_chunk \
	tests/unit/test_core \
	tests/unit/test_core_disk \
	tests/unit/test_core_leveldb \
	tests/unit/test_core_random \
	tests/unit/test_core_time \
	tests/unit/test_dedup \
	tests/unit/test_dead_letter \
	tests/unit/test_dead_letter_random \
	tests/unit/test_counters \
	tests/unit/test_length \
	tests/unit/test_history \
	tests/unit/test_holding \
	tests/unit/test_offspring \
	tests/unit/test_overdue \
	tests/unit/test_work \
	tests/unit/test_delivery_limit \
	tests/unit/test_publication \
	tests/unit/test_priority \
	tests/unit/test_redelivery_random \
	tests/unit/test_policy \
	tests/unit/test_queue_settings \
	tests/unit/test_queue_type \
	tests/unit/test_verdict \
	tests/unit/test_single_active \
	tests/unit/test_delay \
	tests/unit/test_delay_leveldb \
	tests/unit/test_delay_random \
	tests/unit/test_unsettled
check_PROGRAMS += $(core_tests)
TESTS += $(core_tests)
core_harness = tests/unit/core_harness.c tests/unit/core_harness.h
core_test_libs = src/broker/libbroker.a src/journal/libjournal.a src/wire/libwire.a \
	src/base/libbase.a $(PCRE2_LIBS) $(XXHASH_LIBS) $(CRYPTO_LIBS) $(CHECK_LIBS)
tests_unit_test_chunk_SOURCES = tests/unit/test_chunk.c
tests_unit_test_chunk_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_unit_test_chunk_LDADD = $(core_test_libs)
tests_unit_test_unsettled_SOURCES = tests/unit/test_unsettled.c
tests_unit_test_unsettled_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_unit_test_unsettled_LDADD = $(core_test_libs)
tests_unit_test_history_SOURCES = tests/unit/test_history.c $(core_harness)
tests_unit_test_history_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_unit_test_history_LDADD = $(core_test_libs)
tests_unit_test_queue_type_SOURCES = tests/unit/test_queue_type.c $(core_harness)
tests_unit_test_queue_type_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_unit_test_queue_type_LDADD = $(core_test_libs)
tests_unit_test_core_SOURCES = tests/unit/test_core.c $(core_harness)
tests_unit_test_core_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_unit_test_core_LDADD = $(core_test_libs)
tests_unit_test_core_disk_SOURCES = tests/unit/test_core_disk.c $(core_harness)
tests_unit_test_core_disk_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_unit_test_core_disk_LDADD = $(core_test_libs)
# The random conversations again, with the journal on LevelDB.
tests_unit_test_core_leveldb_SOURCES = tests/unit/test_core_random.c $(core_harness)
tests_unit_test_core_leveldb_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS) -DHARNESS_LEVELDB
tests_unit_test_core_leveldb_LDADD = $(core_test_libs) $(LEVELDB_LIBS)
tests_unit_test_core_random_SOURCES = tests/unit/test_core_random.c $(core_harness)
tests_unit_test_core_random_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_unit_test_core_random_LDADD = $(core_test_libs)
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
tests_unit_test_dedup_SOURCES = tests/unit/test_dedup.c $(core_harness)
tests_unit_test_dedup_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_unit_test_dedup_LDADD = $(core_test_libs)
tests_unit_test_core_time_SOURCES = tests/unit/test_core_time.c $(core_harness)
tests_unit_test_core_time_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_unit_test_core_time_LDADD = $(core_test_libs)
tests_unit_test_priority_SOURCES = tests/unit/test_priority.c $(core_harness)
tests_unit_test_priority_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_unit_test_priority_LDADD = $(core_test_libs)
tests_unit_test_publication_SOURCES = tests/unit/test_publication.c $(core_harness)
tests_unit_test_publication_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_unit_test_publication_LDADD = $(core_test_libs)
tests_unit_test_delivery_limit_SOURCES = tests/unit/test_delivery_limit.c $(core_harness)
tests_unit_test_delivery_limit_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_unit_test_delivery_limit_LDADD = $(core_test_libs)
tests_unit_test_policy_SOURCES = tests/unit/test_policy.c $(core_harness)
tests_unit_test_policy_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_unit_test_policy_LDADD = $(core_test_libs)
tests_unit_test_verdict_SOURCES = tests/unit/test_verdict.c
tests_unit_test_verdict_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_unit_test_verdict_LDADD = $(core_test_libs)
tests_unit_test_queue_settings_SOURCES = tests/unit/test_queue_settings.c
tests_unit_test_queue_settings_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_unit_test_queue_settings_LDADD = $(core_test_libs)
tests_unit_test_redelivery_random_SOURCES = tests/unit/test_redelivery_random.c $(core_harness)
tests_unit_test_redelivery_random_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_unit_test_redelivery_random_LDADD = $(core_test_libs)
tests_unit_test_single_active_SOURCES = tests/unit/test_single_active.c $(core_harness)
tests_unit_test_single_active_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_unit_test_single_active_LDADD = $(core_test_libs)
tests_unit_test_dead_letter_SOURCES = tests/unit/test_dead_letter.c $(core_harness)
tests_unit_test_dead_letter_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_unit_test_dead_letter_LDADD = $(core_test_libs)
tests_unit_test_dead_letter_random_SOURCES = tests/unit/test_dead_letter_random.c $(core_harness)
tests_unit_test_dead_letter_random_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_unit_test_dead_letter_random_LDADD = $(core_test_libs)
tests_unit_test_holding_SOURCES = tests/unit/test_holding.c $(core_harness)
tests_unit_test_holding_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_unit_test_holding_LDADD = $(core_test_libs)
tests_unit_test_overdue_SOURCES = tests/unit/test_overdue.c $(core_harness)
tests_unit_test_overdue_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_unit_test_overdue_LDADD = $(core_test_libs)
tests_unit_test_offspring_SOURCES = tests/unit/test_offspring.c $(core_harness)
tests_unit_test_offspring_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_unit_test_offspring_LDADD = $(core_test_libs)
tests_unit_test_work_SOURCES = tests/unit/test_work.c $(core_harness)
tests_unit_test_work_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_unit_test_work_LDADD = $(core_test_libs)
tests_unit_test_counters_SOURCES = tests/unit/test_counters.c $(core_harness)
tests_unit_test_counters_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_unit_test_counters_LDADD = $(core_test_libs)
tests_unit_test_length_SOURCES = tests/unit/test_length.c $(core_harness)
tests_unit_test_length_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_unit_test_length_LDADD = $(core_test_libs)
endif

# Not installed, not a test: tests/bench/core_bench prints what a message costs in the core.
noinst_PROGRAMS += tests/bench/core_bench
tests_bench_core_bench_SOURCES = tests/bench/core_bench.c
tests_bench_core_bench_LDADD = src/broker/libbroker.a src/wire/libwire.a src/base/libbase.a \
	$(PCRE2_LIBS) $(XXHASH_LIBS) $(CRYPTO_LIBS)
