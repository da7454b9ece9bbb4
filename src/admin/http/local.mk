# What src/admin/http builds: the HTTP server and its requests.
src_admin_libadmin_a_SOURCES += \
	src/admin/http/access.c \
	src/admin/http/access.h \
	src/admin/http/admin_state.c \
	src/admin/http/admin_state.h \
	src/admin/http/body.c \
	src/admin/http/body.h \
	src/admin/http/chunks.c \
	src/admin/http/chunks.h \
	src/admin/http/cors.c \
	src/admin/http/cors.h \
	src/admin/http/dispatch.c \
	src/admin/http/dispatch.h \
	src/admin/http/events.c \
	src/admin/http/events.h \
	src/admin/http/head.c \
	src/admin/http/head.h \
	src/admin/http/http.c \
	src/admin/http/http.h \
	src/admin/http/http_answer.c \
	src/admin/http/http_input.c \
	src/admin/http/http_internal.h \
	src/admin/http/http_output.c \
	src/admin/http/pack.c \
	src/admin/http/pack.h \
	src/admin/http/request.c \
	src/admin/http/request.h \
	src/admin/http/respond.c \
	src/admin/http/respond.h \
	src/admin/http/routes.c \
	src/admin/http/routes.h \
	src/admin/http/tickets.c \
	src/admin/http/tickets.h \
	src/admin/http/turns.c \
	src/admin/http/turns.h \
	src/admin/http/upload.c \
	src/admin/http/upload.h

if HAVE_CHECK
http_tests = tests/unit/test_http_head tests/unit/test_http_route tests/unit/test_tickets \
	tests/unit/test_upload
check_PROGRAMS += $(http_tests)
TESTS += $(http_tests)
tests_unit_test_http_head_SOURCES = tests/unit/test_http_head.c
tests_unit_test_http_head_CPPFLAGS = $(AM_CPPFLAGS)
tests_unit_test_http_head_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_http_head_LDADD = src/admin/libadmin.a src/base/libbase.a $(CHECK_LIBS)
tests_unit_test_http_route_SOURCES = tests/unit/test_http_route.c
tests_unit_test_http_route_CPPFLAGS = $(AM_CPPFLAGS)
tests_unit_test_http_route_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_http_route_LDADD = src/admin/libadmin.a src/base/libbase.a $(CHECK_LIBS)
tests_unit_test_tickets_SOURCES = tests/unit/test_tickets.c
tests_unit_test_tickets_CPPFLAGS = $(AM_CPPFLAGS)
tests_unit_test_tickets_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_tickets_LDADD = src/admin/libadmin.a src/base/libbase.a $(CHECK_LIBS)
tests_unit_test_upload_SOURCES = tests/unit/test_upload.c
tests_unit_test_upload_CPPFLAGS = $(AM_CPPFLAGS)
tests_unit_test_upload_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_upload_LDADD = src/admin/libadmin.a src/base/libbase.a $(CHECK_LIBS)
endif
