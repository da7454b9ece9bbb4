# What src/admin/listing builds: lists gathered from workers, filtered, sorted, in pages; what is told of numbers.
src_admin_libadmin_a_SOURCES += \
	src/admin/listing/arena.c \
	src/admin/listing/arena.h \
	src/admin/listing/conditions.c \
	src/admin/listing/conditions.h \
	src/admin/listing/filter.c \
	src/admin/listing/filter.h \
	src/admin/listing/gather.c \
	src/admin/listing/gather.h \
	src/admin/listing/gather_kinds.c \
	src/admin/listing/listed_queue.c \
	src/admin/listing/listed_queue.h \
	src/admin/listing/listing.c \
	src/admin/listing/listing.h \
	src/admin/listing/stats.c \
	src/admin/listing/stats.h

if HAVE_CHECK
listing_tests = tests/unit/test_listing
check_PROGRAMS += $(listing_tests)
TESTS += $(listing_tests)
tests_unit_test_listing_SOURCES = tests/unit/test_listing.c
tests_unit_test_listing_CPPFLAGS = $(AM_CPPFLAGS)
tests_unit_test_listing_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_listing_LDADD = src/admin/libadmin.a src/runtime/libruntime.a src/base/libbase.a \
	$(EVENT_LIBS) $(PCRE2_LIBS) $(XXHASH_LIBS) $(CHECK_LIBS)
endif
