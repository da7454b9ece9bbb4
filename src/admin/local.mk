# What src/admin builds.
noinst_LIBRARIES += src/admin/libadmin.a
src_admin_libadmin_a_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS)
src_admin_libadmin_a_SOURCES = \
	include/leveret/admin/admin.h \
	src/admin/about.c \
	src/admin/access.c src/admin/access.h \
	src/admin/admin.c \
	src/admin/answer.c src/admin/answer.h \
	src/admin/arguments.c src/admin/arguments.h \
	src/admin/auth_attempts.c \
	src/admin/bindings.c \
	src/admin/channels.c \
	src/admin/client.c src/admin/client.h \
	src/admin/common.c \
	src/admin/connections.c \
	src/admin/consumers.c \
	src/admin/definitions.c \
	src/admin/dispatch.c \
	src/admin/exchanges.c \
	src/admin/feature_flags.c \
	src/admin/form.c src/admin/form.h \
	src/admin/gather.c src/admin/gather.h \
	src/admin/gather_kinds.c \
	src/admin/global_parameters.c \
	src/admin/handlers.h \
	src/admin/health.c src/admin/health.h \
	src/admin/health_listeners.c \
	src/admin/health_quorum.c \
	src/admin/import.c src/admin/import.h \
	src/admin/import_check.c \
	src/admin/import_directory.c \
	src/admin/import_vhost.c \
	src/admin/limits.c \
	src/admin/listing.c src/admin/listing.h \
	src/admin/memory.c \
	src/admin/messages.c \
	src/admin/metrics.c src/admin/metrics.h \
	src/admin/metrics_counters.c \
	src/admin/metrics_objects.c \
	src/admin/name_filter.c \
	src/admin/overview.c \
	src/admin/parse.c src/admin/parse.h \
	src/admin/policies.c \
	src/admin/permissions.c \
	src/admin/process.c src/admin/process.h \
	src/admin/properties_json.c src/admin/properties_json.h \
	src/admin/queues.c \
	src/admin/reply.c \
	src/admin/request.c src/admin/request.h \
	src/admin/route.c src/admin/route.h \
	src/admin/route_table.c \
	src/admin/samples.c src/admin/samples.h \
	src/admin/chunks.c src/admin/chunks.h \
	src/admin/head.c src/admin/head.h \
	src/admin/http.c src/admin/http.h src/admin/http_internal.h \
	src/admin/http_input.c \
	src/admin/http_output.c \
	src/admin/totals.c src/admin/totals.h \
	src/admin/turns.c src/admin/turns.h \
	src/admin/upload.c src/admin/upload.h \
	src/admin/url.c src/admin/url.h \
	src/admin/users.c \
	src/admin/value.c src/admin/value.h \
	src/admin/vhost_facts.c src/admin/vhost_facts.h \
	src/admin/vhost_protect.c \
	src/admin/vhost_start.c \
	src/admin/watermarks.c \
	src/admin/vhosts.c

if HAVE_CHECK
admin_tests = tests/unit/test_answer tests/unit/test_form tests/unit/test_http_head tests/unit/test_http_route tests/unit/test_listing \
	tests/unit/test_upload
check_PROGRAMS += $(admin_tests)
TESTS += $(admin_tests)
admin_test_cppflags = $(AM_CPPFLAGS) -I$(top_srcdir)/src/admin
admin_test_cflags = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_answer_SOURCES = tests/unit/test_answer.c
tests_unit_test_answer_CPPFLAGS = $(admin_test_cppflags)
tests_unit_test_answer_CFLAGS = $(admin_test_cflags)
tests_unit_test_answer_LDADD = src/admin/libadmin.a src/wire/libwire.a src/base/libbase.a \
	$(JANSSON_LIBS) $(XXHASH_LIBS) $(CHECK_LIBS)
tests_unit_test_form_SOURCES = tests/unit/test_form.c
tests_unit_test_form_CPPFLAGS = $(admin_test_cppflags)
tests_unit_test_form_CFLAGS = $(admin_test_cflags)
tests_unit_test_form_LDADD = $(tests_unit_test_answer_LDADD)
tests_unit_test_upload_SOURCES = tests/unit/test_upload.c
tests_unit_test_upload_CPPFLAGS = $(admin_test_cppflags)
tests_unit_test_upload_CFLAGS = $(admin_test_cflags)
tests_unit_test_upload_LDADD = src/admin/libadmin.a src/base/libbase.a $(CHECK_LIBS)
tests_unit_test_http_head_SOURCES = tests/unit/test_http_head.c
tests_unit_test_http_head_CPPFLAGS = $(admin_test_cppflags)
tests_unit_test_http_head_CFLAGS = $(admin_test_cflags)
tests_unit_test_http_head_LDADD = src/admin/libadmin.a src/base/libbase.a $(CHECK_LIBS)
tests_unit_test_http_route_SOURCES = tests/unit/test_http_route.c
tests_unit_test_http_route_CPPFLAGS = $(admin_test_cppflags)
tests_unit_test_http_route_CFLAGS = $(admin_test_cflags)
tests_unit_test_http_route_LDADD = src/admin/libadmin.a src/base/libbase.a $(CHECK_LIBS)
tests_unit_test_listing_SOURCES = tests/unit/test_listing.c
tests_unit_test_listing_CPPFLAGS = $(admin_test_cppflags)
tests_unit_test_listing_CFLAGS = $(admin_test_cflags)
tests_unit_test_listing_LDADD = src/admin/libadmin.a src/runtime/libruntime.a src/base/libbase.a \
	$(EVENT_LIBS) $(PCRE2_LIBS) $(XXHASH_LIBS) $(CHECK_LIBS)
endif
