# What src/base builds: the library that everything stands on.
noinst_LIBRARIES += src/base/libbase.a
src_base_libbase_a_CPPFLAGS = $(AM_CPPFLAGS) $(XXHASH_CFLAGS) $(PCRE2_CFLAGS)
src_base_libbase_a_SOURCES = \
	include/leveret/base/account.h \
	include/leveret/base/dialect.h \
	include/leveret/base/identity.h \
	include/leveret/base/base64.h \
	include/leveret/base/buffer.h \
	include/leveret/base/bytes.h \
	include/leveret/base/check.h \
	include/leveret/base/clock.h \
	include/leveret/base/container.h \
	include/leveret/base/file.h \
	include/leveret/base/folder.h \
	include/leveret/base/heap.h \
	include/leveret/base/log.h \
	include/leveret/base/log_ring.h \
	include/leveret/base/log_rotation.h \
	include/leveret/base/map.h \
	include/leveret/base/mem.h \
	include/leveret/base/message.h \
	include/leveret/base/nearest.h \
	include/leveret/base/number.h \
	include/leveret/base/pattern.h \
	include/leveret/base/random.h \
	include/leveret/base/roster.h \
	include/leveret/base/status.h \
	include/leveret/base/text.h \
	include/leveret/base/utf8.h \
	src/base/account.c \
	src/base/base64.c \
	src/base/buffer.c \
	src/base/check.c \
	src/base/clock.c \
	src/base/file.c \
	src/base/folder.c \
	src/base/heap.c \
	src/base/log.c \
	src/base/log_file.c src/base/log_file.h \
	src/base/log_journald.c src/base/log_journald.h \
	src/base/log_ring.c \
	src/base/log_rotation.c \
	src/base/log_text.c src/base/log_text.h \
	src/base/map.c \
	src/base/mem.c \
	src/base/message.c \
	src/base/nearest.c \
	src/base/number.c \
	src/base/pattern.c \
	src/base/random.c \
	src/base/roster.c \
	src/base/status.c \
	src/base/text.c \
	src/base/utf8.c

# For tests of what must survive that there is no memory.
scarce = tests/support/scarce.c tests/support/scarce.h
scarce_ldflags = -Wl,--wrap=mem_try,--wrap=mem_try_array

if HAVE_CHECK
base_tests = \
	tests/unit/test_account \
	tests/unit/test_heap \
	tests/unit/test_log \
	tests/unit/test_log_outputs \
	tests/unit/test_log_ring \
	tests/unit/test_folder tests/unit/test_nearest \
	tests/unit/test_map \
	tests/unit/test_message \
	tests/unit/test_pattern \
	tests/unit/test_roster \
	tests/unit/test_text
check_PROGRAMS += $(base_tests)
TESTS += $(base_tests)
base_test_libs = src/base/libbase.a $(XXHASH_LIBS) $(CHECK_LIBS)
tests_unit_test_account_SOURCES = tests/unit/test_account.c
tests_unit_test_account_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_unit_test_account_LDADD = $(base_test_libs)
tests_unit_test_heap_SOURCES = tests/unit/test_heap.c
tests_unit_test_heap_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_unit_test_heap_LDADD = $(base_test_libs)
tests_unit_test_log_outputs_SOURCES = tests/unit/test_log_outputs.c src/base/log_journald.c
tests_unit_test_log_outputs_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS) -I$(top_srcdir)/src/base
tests_unit_test_log_outputs_LDADD = $(base_test_libs)
tests_unit_test_log_ring_SOURCES = tests/unit/test_log_ring.c
tests_unit_test_log_ring_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_unit_test_log_ring_LDADD = $(base_test_libs)
tests_unit_test_folder_SOURCES = tests/unit/test_folder.c
tests_unit_test_folder_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_unit_test_folder_LDADD = $(base_test_libs)
tests_unit_test_nearest_SOURCES = tests/unit/test_nearest.c
tests_unit_test_nearest_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_unit_test_nearest_LDADD = $(base_test_libs)
tests_unit_test_log_SOURCES = tests/unit/test_log.c
tests_unit_test_log_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_unit_test_log_LDADD = $(base_test_libs)
tests_unit_test_map_SOURCES = tests/unit/test_map.c
tests_unit_test_map_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_unit_test_map_LDADD = $(base_test_libs)
tests_unit_test_message_SOURCES = tests/unit/test_message.c $(scarce)
tests_unit_test_message_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS) -I$(top_srcdir)/tests/support
tests_unit_test_message_LDFLAGS = $(AM_LDFLAGS) $(scarce_ldflags)
tests_unit_test_message_LDADD = $(base_test_libs)
tests_unit_test_pattern_SOURCES = tests/unit/test_pattern.c
tests_unit_test_pattern_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_unit_test_pattern_LDADD = src/base/libbase.a $(PCRE2_LIBS) $(CHECK_LIBS)
tests_unit_test_roster_SOURCES = tests/unit/test_roster.c
tests_unit_test_roster_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_unit_test_roster_LDADD = $(base_test_libs)
tests_unit_test_text_SOURCES = tests/unit/test_text.c
tests_unit_test_text_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_unit_test_text_LDADD = $(base_test_libs)
endif
