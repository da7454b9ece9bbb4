# What src/broker/queue builds: a queue.
noinst_LIBRARIES += src/broker/queue/libqueue.a
src_broker_queue_libqueue_a_CPPFLAGS = $(AM_CPPFLAGS) $(XXHASH_CFLAGS)
src_broker_queue_libqueue_a_SOURCES = \
	src/broker/queue/consumer.c \
	src/broker/queue/consumer.h \
	src/broker/queue/dead_letter.c \
	src/broker/queue/dead_letter.h \
	src/broker/queue/deaths.c \
	src/broker/queue/deaths.h \
	src/broker/queue/dispatch.c \
	src/broker/queue/expiry.c \
	src/broker/queue/intake.c \
	src/broker/queue/length.c \
	src/broker/queue/pick.c \
	src/broker/queue/pick.h \
	src/broker/queue/priorities.c \
	src/broker/queue/queue.c \
	src/broker/queue/queue.h \
	src/broker/queue/queue_event.c \
	src/broker/queue/queue_life.c \
	src/broker/queue/queues.h

if HAVE_CHECK
queue_tests = \
	tests/unit/test_length \
	tests/unit/test_priority \
	tests/unit/test_priority_quorum \
	tests/unit/test_delivery_limit \
	tests/unit/test_delivery_limit_restart \
	tests/unit/test_move \
	tests/unit/test_pause \
	tests/unit/test_peek \
	tests/unit/test_single_active \
	tests/unit/test_redelivery_random
check_PROGRAMS += $(queue_tests)
TESTS += $(queue_tests)
tests_unit_test_length_SOURCES = tests/unit/test_length.c $(core_harness)
tests_unit_test_length_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_unit_test_length_LDADD = $(core_test_libs)
tests_unit_test_priority_SOURCES = tests/unit/test_priority.c tests/unit/priority_fixture.h \
	$(core_harness)
tests_unit_test_priority_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_unit_test_priority_LDADD = $(core_test_libs)
tests_unit_test_priority_quorum_SOURCES = tests/unit/test_priority_quorum.c \
	tests/unit/priority_fixture.h $(core_harness)
tests_unit_test_priority_quorum_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_unit_test_priority_quorum_LDADD = $(core_test_libs)
tests_unit_test_delivery_limit_SOURCES = tests/unit/test_delivery_limit.c \
	tests/unit/delivery_limit_fixture.h $(core_harness)
tests_unit_test_delivery_limit_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_unit_test_delivery_limit_LDADD = $(core_test_libs)
tests_unit_test_delivery_limit_restart_SOURCES = tests/unit/test_delivery_limit_restart.c \
	tests/unit/delivery_limit_fixture.h $(core_harness)
tests_unit_test_delivery_limit_restart_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_unit_test_delivery_limit_restart_LDADD = $(core_test_libs)
tests_unit_test_peek_SOURCES = tests/unit/test_peek.c $(core_harness)
tests_unit_test_peek_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_unit_test_peek_LDADD = $(core_test_libs)
tests_unit_test_move_SOURCES = tests/unit/test_move.c $(core_harness)
tests_unit_test_move_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_unit_test_move_LDADD = $(core_test_libs)
tests_unit_test_pause_SOURCES = tests/unit/test_pause.c $(core_harness)
tests_unit_test_pause_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_unit_test_pause_LDADD = $(core_test_libs)
tests_unit_test_single_active_SOURCES = tests/unit/test_single_active.c $(core_harness)
tests_unit_test_single_active_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_unit_test_single_active_LDADD = $(core_test_libs)
tests_unit_test_redelivery_random_SOURCES = tests/unit/test_redelivery_random.c $(core_harness)
tests_unit_test_redelivery_random_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_unit_test_redelivery_random_LDADD = $(core_test_libs)
endif
