# What src/broker/publish builds: the way of a message to its queues.
noinst_LIBRARIES += src/broker/publish/libpublish.a
src_broker_publish_libpublish_a_CPPFLAGS = $(AM_CPPFLAGS) $(XXHASH_CFLAGS)
src_broker_publish_libpublish_a_SOURCES = \
	include/leveret/broker/counters.h \
	include/leveret/broker/publication.h \
	src/broker/publish/counters.c \
	src/broker/publish/dead_letter_headers.c \
	src/broker/publish/dead_letter_headers.h \
	src/broker/publish/dead_letter_send.c \
	src/broker/publish/dead_letter_send.h \
	src/broker/publish/delay_fire.c \
	src/broker/publish/delay_fire.h \
	src/broker/publish/history.c \
	src/broker/publish/history.h \
	src/broker/publish/notice_send.c \
	src/broker/publish/notice_send.h \
	src/broker/publish/move.c \
	src/broker/publish/move.h \
	src/broker/publish/moved_message.c \
	src/broker/publish/moved_message.h \
	src/broker/publish/offspring.c \
	src/broker/publish/offspring.h \
	src/broker/publish/publication.c \
	src/broker/publish/publish.c \
	src/broker/publish/publish.h \
	src/broker/publish/spread.c \
	src/broker/publish/spread.h

if HAVE_CHECK
publish_tests = \
	tests/unit/test_publication \
	tests/unit/test_offspring \
	tests/unit/test_dead_letter \
	tests/unit/test_dead_letter_disk \
	tests/unit/test_dead_letter_random \
	tests/unit/test_history
check_PROGRAMS += $(publish_tests)
TESTS += $(publish_tests)
tests_unit_test_publication_SOURCES = tests/unit/test_publication.c $(core_harness)
tests_unit_test_publication_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_unit_test_publication_LDADD = $(core_test_libs)
tests_unit_test_offspring_SOURCES = tests/unit/test_offspring.c $(core_harness)
tests_unit_test_offspring_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_unit_test_offspring_LDADD = $(core_test_libs)
tests_unit_test_dead_letter_SOURCES = tests/unit/test_dead_letter.c \
	tests/unit/dead_letter_fixture.h $(core_harness)
tests_unit_test_dead_letter_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_unit_test_dead_letter_LDADD = $(core_test_libs)
tests_unit_test_dead_letter_random_SOURCES = tests/unit/test_dead_letter_random.c $(core_harness)
tests_unit_test_dead_letter_random_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_unit_test_dead_letter_random_LDADD = $(core_test_libs)
tests_unit_test_dead_letter_disk_SOURCES = tests/unit/test_dead_letter_disk.c \
	tests/unit/dead_letter_fixture.h $(core_harness)
tests_unit_test_dead_letter_disk_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_unit_test_dead_letter_disk_LDADD = $(core_test_libs)
tests_unit_test_history_SOURCES = tests/unit/test_history.c $(core_harness)
tests_unit_test_history_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_unit_test_history_LDADD = $(core_test_libs)
endif
