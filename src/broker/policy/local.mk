# What src/broker/policy builds: settings of queues and policies.
noinst_LIBRARIES += src/broker/policy/libpolicy.a
src_broker_policy_libpolicy_a_CPPFLAGS = $(AM_CPPFLAGS) $(XXHASH_CFLAGS)
src_broker_policy_libpolicy_a_SOURCES = \
	include/leveret/broker/queue_type.h \
	src/broker/policy/effective.c \
	src/broker/policy/policy.c \
	src/broker/policy/policy.h \
	src/broker/policy/policy_definition.c \
	src/broker/policy/policy_definition.h \
	src/broker/policy/queue_settings.c \
	src/broker/policy/queue_settings.h \
	src/broker/policy/queue_settings_allowed.c \
	src/broker/policy/queue_type.c \
	src/broker/policy/setting.c \
	src/broker/policy/setting.h \
	src/broker/policy/setting_check.c \
	src/broker/policy/setting_check.h

if HAVE_CHECK
policy_tests = \
	tests/unit/test_queue_settings
check_PROGRAMS += $(policy_tests)
TESTS += $(policy_tests)
tests_unit_test_queue_settings_SOURCES = tests/unit/test_queue_settings.c
tests_unit_test_queue_settings_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_unit_test_queue_settings_LDADD = $(broker_policy_test_libs)
endif
