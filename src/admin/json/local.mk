# What src/admin/json builds: JSON, forms and URLs.
src_admin_libadmin_a_SOURCES += \
	src/admin/json/answer.c \
	src/admin/json/answer.h \
	src/admin/json/arguments.c \
	src/admin/json/arguments.h \
	src/admin/json/columns.c \
	src/admin/json/columns.h \
	src/admin/json/form.c \
	src/admin/json/form.h \
	src/admin/json/properties_json.c \
	src/admin/json/properties_json.h \
	src/admin/json/url.c \
	src/admin/json/url.h \
	src/admin/json/value.c \
	src/admin/json/value.h

if HAVE_CHECK
json_tests = tests/unit/test_answer tests/unit/test_form
check_PROGRAMS += $(json_tests)
TESTS += $(json_tests)
tests_unit_test_answer_SOURCES = tests/unit/test_answer.c
tests_unit_test_answer_CPPFLAGS = $(AM_CPPFLAGS)
tests_unit_test_answer_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_answer_LDADD = src/admin/libadmin.a src/wire/libwire.a src/base/libbase.a \
	$(JANSSON_LIBS) $(XXHASH_LIBS) $(CHECK_LIBS)
tests_unit_test_form_SOURCES = tests/unit/test_form.c
tests_unit_test_form_CPPFLAGS = $(AM_CPPFLAGS)
tests_unit_test_form_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_form_LDADD = $(tests_unit_test_answer_LDADD)
endif
