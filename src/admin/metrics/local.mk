# What src/admin/metrics builds: metrics and totals.
src_admin_libadmin_a_SOURCES += \
	src/admin/metrics/exposition.c \
	src/admin/metrics/exposition.h \
	src/admin/metrics/families.c \
	src/admin/metrics/families.h \
	src/admin/metrics/memory_figures.c \
	src/admin/metrics/memory_figures.h \
	src/admin/metrics/metrics.c \
	src/admin/metrics/metrics.h \
	src/admin/metrics/metrics_counters.c \
	src/admin/metrics/metrics_node.c \
	src/admin/metrics/metrics_node.h \
	src/admin/metrics/object_labels.c \
	src/admin/metrics/object_labels.h \
	src/admin/metrics/objects.c \
	src/admin/metrics/objects.h \
	src/admin/metrics/process.c \
	src/admin/metrics/process.h \
	src/admin/metrics/totals.c \
	src/admin/metrics/totals.h

if HAVE_CHECK
metrics_tests = tests/unit/test_exposition
check_PROGRAMS += $(metrics_tests)
TESTS += $(metrics_tests)
tests_unit_test_exposition_SOURCES = tests/unit/test_exposition.c
tests_unit_test_exposition_CPPFLAGS = $(AM_CPPFLAGS)
tests_unit_test_exposition_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_exposition_LDADD = src/admin/libadmin.a src/base/libbase.a $(CHECK_LIBS)
endif
