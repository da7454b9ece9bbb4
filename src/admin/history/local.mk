# What src/admin/history builds: samples of all objects at several resolutions, within a bound of memory.
src_admin_libadmin_a_SOURCES += \
	src/admin/history/archive.c \
	src/admin/history/archive.h \
	src/admin/history/ranges.c \
	src/admin/history/ranges.h \
	src/admin/history/retention.c \
	src/admin/history/series.c \
	src/admin/history/series.h \
	src/admin/history/told.c \
	src/admin/history/told.h \
	src/admin/history/track.c \
	src/admin/history/track.h

if HAVE_CHECK
archive_tests = tests/unit/test_track tests/unit/test_archive
check_PROGRAMS += $(archive_tests)
TESTS += $(archive_tests)
tests_unit_test_track_SOURCES = tests/unit/test_track.c
tests_unit_test_track_CPPFLAGS = $(AM_CPPFLAGS)
tests_unit_test_track_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_track_LDADD = src/admin/libadmin.a src/base/libbase.a $(PCRE2_LIBS) $(XXHASH_LIBS) \
	$(CHECK_LIBS)
tests_unit_test_archive_SOURCES = tests/unit/test_archive.c
tests_unit_test_archive_CPPFLAGS = $(AM_CPPFLAGS)
tests_unit_test_archive_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_archive_LDADD = src/admin/libadmin.a src/base/libbase.a $(PCRE2_LIBS) $(XXHASH_LIBS) \
	$(CHECK_LIBS)
endif
