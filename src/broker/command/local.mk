# What src/broker/command builds: the commands.
noinst_LIBRARIES += src/broker/command/libcommand.a
src_broker_command_libcommand_a_CPPFLAGS = $(AM_CPPFLAGS) $(XXHASH_CFLAGS)
src_broker_command_libcommand_a_SOURCES = \
	include/leveret/broker/command.h \
	include/leveret/broker/census.h \
	include/leveret/broker/verdict.h \
	src/broker/command/channel_command.c \
	src/broker/command/channel_end.c \
	src/broker/command/channel_end.h \
	src/broker/command/command.h \
	src/broker/command/command_gate.c \
	src/broker/command/consumer_command.c \
	src/broker/command/exchange_command.c \
	src/broker/command/move_command.c \
	src/broker/command/move_command.h \
	src/broker/command/peek.h \
	src/broker/command/peek_command.c \
	src/broker/command/policy_command.c \
	src/broker/command/policy_sweep.c \
	src/broker/command/policy_sweep.h \
	src/broker/command/publish_command.c \
	src/broker/command/queue_access.c \
	src/broker/command/queue_access.h \
	src/broker/command/queue_command.c \
	src/broker/command/settle.h \
	src/broker/command/settle_command.c \
	src/broker/command/timeout_check.c \
	src/broker/command/timeout_check.h \
	src/broker/command/transaction_command.c \
	src/broker/command/tx.h \
	src/broker/command/verdict.c

if HAVE_CHECK
command_tests = \
	tests/unit/test_overdue \
	tests/unit/test_verdict \
	tests/unit/test_policy \
	tests/unit/test_policy_refused \
	tests/unit/test_queue_type
check_PROGRAMS += $(command_tests)
TESTS += $(command_tests)
tests_unit_test_verdict_SOURCES = tests/unit/test_verdict.c
tests_unit_test_verdict_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_unit_test_verdict_LDADD = $(core_test_libs)
tests_unit_test_policy_SOURCES = tests/unit/test_policy.c tests/unit/policy_fixture.h \
	$(core_harness)
tests_unit_test_policy_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_unit_test_policy_LDADD = $(core_test_libs)
tests_unit_test_policy_refused_SOURCES = tests/unit/test_policy_refused.c \
	tests/unit/policy_fixture.h $(core_harness)
tests_unit_test_policy_refused_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_unit_test_policy_refused_LDADD = $(core_test_libs)
tests_unit_test_queue_type_SOURCES = tests/unit/test_queue_type.c $(core_harness)
tests_unit_test_queue_type_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_unit_test_queue_type_LDADD = $(core_test_libs)
tests_unit_test_overdue_SOURCES = tests/unit/test_overdue.c $(core_harness)
tests_unit_test_overdue_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_unit_test_overdue_LDADD = $(core_test_libs)
endif
