# What src/broker/call builds: what every call into the core carries.
noinst_LIBRARIES += src/broker/call/libcall.a
src_broker_call_libcall_a_CPPFLAGS = $(AM_CPPFLAGS) $(XXHASH_CFLAGS)
src_broker_call_libcall_a_SOURCES = \
	src/broker/call/call.h \
	src/broker/call/equivalent.c \
	src/broker/call/equivalent.h \
	src/broker/call/holding.c \
	src/broker/call/holding.h \
	src/broker/call/refuse.c \
	src/broker/call/refuse.h \
	src/broker/call/sampled.h \
	src/broker/call/work.h

if HAVE_CHECK
call_tests = \
	tests/unit/test_holding
check_PROGRAMS += $(call_tests)
TESTS += $(call_tests)
tests_unit_test_holding_SOURCES = tests/unit/test_holding.c $(core_harness)
tests_unit_test_holding_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_unit_test_holding_LDADD = $(core_test_libs)
endif
