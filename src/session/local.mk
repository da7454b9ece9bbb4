# What src/session builds: AMQP connections.
noinst_LIBRARIES += src/session/libsession.a
src_session_libsession_a_SOURCES = \
	include/leveret/session/session.h \
	src/session/access_class.c \
	src/session/access_class.h \
	src/session/backlog.c \
	src/session/backlog.h \
	src/session/basic_class.c \
	src/session/basic_class.h \
	src/session/channel_class.c \
	src/session/channel_class.h \
	src/session/confirm.c \
	src/session/confirm.h \
	src/session/connection_class.c \
	src/session/connection_class.h \
	src/session/consumer_tags.c \
	src/session/consumer_tags.h \
	src/session/content.c \
	src/session/content.h \
	src/session/deliver.c \
	src/session/deliver.h \
	src/session/entity_name.c \
	src/session/entity_name.h \
	src/session/entrance.c \
	src/session/entrance.h \
	src/session/error_reply.c \
	src/session/error_reply.h \
	src/session/exchange_class.c \
	src/session/exchange_class.h \
	src/session/gate.c \
	src/session/gate.h \
	src/session/handshake.c \
	src/session/handshake.h \
	src/session/hold.c \
	src/session/hold.h \
	src/session/permit.c \
	src/session/permit.h \
	src/session/queue_class.c \
	src/session/queue_class.h \
	src/session/select_class.c \
	src/session/select_class.h \
	src/session/session.c \
	src/session/session_channel.c \
	src/session/session_channel.h \
	src/session/session_channels.c \
	src/session/session_channels.h \
	src/session/session_event.c \
	src/session/session_event.h \
	src/session/session_memory.c \
	src/session/session_sample.c \
	src/session/session_sample.h \
	src/session/session_memory.h \
	src/session/session_state.h \
	src/session/session_tell.c \
	src/session/session_tell.h \
	src/session/sessions.c \
	src/session/sessions_state.h \
	src/session/topics.c \
	src/session/topics.h

# A whole broker without sockets: what tests of sessions link.
session_test_libs = src/session/libsession.a src/host/libhost.a $(broker_libs) \
	src/journal/libjournal.a src/auth/libauth.a src/runtime/libruntime.a src/wire/libwire.a \
	src/base/libbase.a $(LEVELDB_LIBS) $(EVENT_LIBS) $(PCRE2_LIBS) $(CRYPTO_LIBS) $(JANSSON_LIBS) \
	$(XXHASH_LIBS)

if HAVE_CHECK
session_tests = tests/unit/test_consumer_tags tests/unit/test_error_reply \
	tests/unit/test_session tests/unit/test_session_hold tests/unit/test_session_order \
	tests/unit/test_session_sample
check_PROGRAMS += $(session_tests)
TESTS += $(session_tests)
tests_unit_test_consumer_tags_SOURCES = tests/unit/test_consumer_tags.c
tests_unit_test_consumer_tags_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_unit_test_consumer_tags_LDADD = src/session/libsession.a src/base/libbase.a $(XXHASH_LIBS) \
	$(CHECK_LIBS)

tests_unit_test_error_reply_SOURCES = tests/unit/test_error_reply.c
tests_unit_test_error_reply_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_unit_test_error_reply_LDADD = src/session/libsession.a src/wire/libwire.a \
	src/base/libbase.a $(CHECK_LIBS)

tests_unit_test_session_SOURCES = tests/unit/test_session.c tests/unit/session_harness.c \
	tests/unit/session_harness.h $(scarce)
tests_unit_test_session_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS) -I$(top_srcdir)/tests/support
tests_unit_test_session_LDFLAGS = $(AM_LDFLAGS) $(scarce_ldflags)
tests_unit_test_session_LDADD = $(session_test_libs) $(CHECK_LIBS)

tests_unit_test_session_hold_SOURCES = tests/unit/test_session_hold.c \
	tests/unit/session_harness.c tests/unit/session_harness.h
tests_unit_test_session_hold_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS) -I$(top_srcdir)/src/host
tests_unit_test_session_hold_LDADD = $(session_test_libs) $(CHECK_LIBS)

tests_unit_test_session_order_SOURCES = tests/unit/test_session_order.c \
	tests/unit/session_harness.c tests/unit/session_harness.h
tests_unit_test_session_order_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_unit_test_session_order_LDADD = $(session_test_libs) $(CHECK_LIBS)

tests_unit_test_session_sample_SOURCES = tests/unit/test_session_sample.c \
	tests/unit/session_harness.c tests/unit/session_harness.h
tests_unit_test_session_sample_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_unit_test_session_sample_LDADD = $(session_test_libs) $(CHECK_LIBS)
endif
