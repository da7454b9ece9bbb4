# What src/broker/channel builds: peers, channels and what they wait for.
noinst_LIBRARIES += src/broker/channel/libchannel.a
src_broker_channel_libchannel_a_CPPFLAGS = $(AM_CPPFLAGS) $(XXHASH_CFLAGS)
src_broker_channel_libchannel_a_SOURCES = \
	src/broker/channel/channel.c \
	src/broker/channel/channel.h \
	src/broker/channel/channels.h \
	src/broker/channel/overdue.c \
	src/broker/channel/overdue.h \
	src/broker/channel/peer.c \
	src/broker/channel/peer.h \
	src/broker/channel/promise.c \
	src/broker/channel/promise.h \
	src/broker/channel/reply_to.c \
	src/broker/channel/reply_to.h \
	src/broker/channel/timeout.c \
	src/broker/channel/timeout.h \
	src/broker/channel/unsettled.c \
	src/broker/channel/unsettled.h \
	src/broker/channel/wait.c \
	src/broker/channel/wait.h

if HAVE_CHECK
channel_tests = \
	tests/unit/test_unsettled
check_PROGRAMS += $(channel_tests)
TESTS += $(channel_tests)
tests_unit_test_unsettled_SOURCES = tests/unit/test_unsettled.c
tests_unit_test_unsettled_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_unit_test_unsettled_LDADD = $(broker_channel_test_libs)
endif
