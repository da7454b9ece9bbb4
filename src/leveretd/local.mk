# What src/leveretd builds: the server. Its settings are a library of their own, for the tests.
leveretd_dirs = -DLEVERET_DATA_DIR='"$(localstatedir)/lib/leveret"' \
	-DLEVERET_CONFIG_FOLDER='"$(sysconfdir)/leveret"' \
	-DLEVERET_CONFIG_FILE='"$(sysconfdir)/leveret/leveret.conf"' \
	-DLEVERET_VERSION='"$(PACKAGE_VERSION)"'

noinst_LIBRARIES += src/leveretd/libsettings.a
src_leveretd_libsettings_a_CPPFLAGS = $(AM_CPPFLAGS) $(leveretd_dirs)
src_leveretd_libsettings_a_CFLAGS = $(AM_CFLAGS) $(INIH_CFLAGS)
src_leveretd_libsettings_a_SOURCES = \
	src/leveretd/descriptors.c \
	src/leveretd/descriptors.h \
	src/leveretd/settings/compatibility.c \
	src/leveretd/settings/compatibility.h \
	src/leveretd/settings/effective.c \
	src/leveretd/settings/environment.c \
	src/leveretd/settings/environment.h \
	src/leveretd/settings/foreign.c \
	src/leveretd/settings/foreign.h \
	src/leveretd/settings/key.h \
	src/leveretd/settings/key_name.c \
	src/leveretd/settings/key_name.h \
	src/leveretd/settings/key_types.c \
	src/leveretd/settings/key_types.h \
	src/leveretd/settings/keys.c \
	src/leveretd/settings/keys.h \
	src/leveretd/settings/keys_access.c \
	src/leveretd/settings/keys_http.c \
	src/leveretd/settings/keys_limits.c \
	src/leveretd/settings/keys_listeners.c \
	src/leveretd/settings/keys_tls.c \
	src/leveretd/settings/keys_log.c \
	src/leveretd/settings/keys_node.c \
	src/leveretd/settings/literal.c \
	src/leveretd/settings/literal.h \
	src/leveretd/settings/origin.c \
	src/leveretd/settings/origin.h \
	src/leveretd/settings/read.c \
	src/leveretd/settings/report.c \
	src/leveretd/settings/report.h \
	src/leveretd/settings/setting_names.c \
	src/leveretd/settings/setting_names.h \
	src/leveretd/settings/settings.c \
	src/leveretd/settings/settings.h \
	src/leveretd/settings/sources.c \
	src/leveretd/settings/sources.h

sbin_PROGRAMS += leveretd
leveretd_CPPFLAGS = $(AM_CPPFLAGS) $(leveretd_dirs) $(ZLIB_CFLAGS)
leveretd_CFLAGS = $(AM_CFLAGS) $(SYSTEMD_CFLAGS)
leveretd_SOURCES = \
	src/leveretd/defaults.c \
	src/leveretd/defaults.h \
	src/leveretd/listen.c \
	src/leveretd/logging.c \
	src/leveretd/logging.h \
	src/leveretd/machine.c \
	src/leveretd/machine.h \
	src/leveretd/main.c \
	src/leveretd/pid_file.c \
	src/leveretd/reload.c \
	src/leveretd/server.h \
	src/leveretd/service_manager.c \
	src/leveretd/service_manager.h \
	src/leveretd/signals.c \
	src/leveretd/definitions_files.c \
	src/leveretd/definitions_files.h \
	src/leveretd/load.c \
	src/leveretd/start.c \
	src/leveretd/stop.c \
	src/leveretd/tls_setup.c \
	src/leveretd/tls_setup.h
leveretd_LDADD = \
	src/leveretd/libsettings.a \
	src/admin/libadmin.a \
	src/session/libsession.a \
	src/host/libhost.a \
	src/net/libnet.a \
	src/auth/libauth.a \
	$(broker_libs) \
	src/journal/libjournal.a \
	src/runtime/libruntime.a \
	src/wire/libwire.a \
	src/base/libbase.a \
	$(EVENT_LIBS) $(LEVELDB_LIBS) $(CRYPTO_LIBS) $(JANSSON_LIBS) $(PCRE2_LIBS) $(XXHASH_LIBS) \
	$(INIH_LIBS) $(SYSTEMD_LIBS) $(ZLIB_LIBS) -lm

if HAVE_CHECK
check_PROGRAMS += tests/unit/test_descriptors tests/unit/test_machine tests/unit/test_settings \
	tests/unit/test_settings_foreign tests/unit/test_settings_sources
TESTS += tests/unit/test_descriptors tests/unit/test_machine tests/unit/test_settings tests/unit/test_settings_foreign \
	tests/unit/test_settings_sources
tests_unit_test_descriptors_SOURCES = tests/unit/test_descriptors.c src/leveretd/descriptors.c
tests_unit_test_descriptors_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/src/leveretd
tests_unit_test_descriptors_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_descriptors_LDADD = $(CHECK_LIBS)
tests_unit_test_machine_SOURCES = tests/unit/test_machine.c src/leveretd/machine.c
tests_unit_test_machine_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/src/leveretd
tests_unit_test_machine_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_machine_LDADD = src/base/libbase.a $(XXHASH_LIBS) $(CHECK_LIBS)
tests_unit_test_settings_SOURCES = tests/unit/test_settings.c tests/unit/settings_fixture.h
tests_unit_test_settings_CPPFLAGS = $(AM_CPPFLAGS) $(leveretd_dirs)
tests_unit_test_settings_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_settings_LDADD = src/leveretd/libsettings.a src/base/libbase.a $(INIH_LIBS) \
	$(XXHASH_LIBS) $(PCRE2_LIBS) $(CHECK_LIBS)
tests_unit_test_settings_sources_SOURCES = tests/unit/test_settings_sources.c \
	tests/unit/settings_fixture.h
tests_unit_test_settings_sources_CPPFLAGS = $(AM_CPPFLAGS) $(leveretd_dirs)
tests_unit_test_settings_sources_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_settings_sources_LDADD = src/leveretd/libsettings.a src/base/libbase.a \
	$(INIH_LIBS) \
	$(XXHASH_LIBS) $(PCRE2_LIBS) $(CHECK_LIBS)
tests_unit_test_settings_foreign_SOURCES = tests/unit/test_settings_foreign.c \
	tests/unit/settings_fixture.h
tests_unit_test_settings_foreign_CPPFLAGS = $(AM_CPPFLAGS) $(leveretd_dirs)
tests_unit_test_settings_foreign_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_settings_foreign_LDADD = src/leveretd/libsettings.a src/base/libbase.a \
	$(INIH_LIBS) \
	$(XXHASH_LIBS) $(PCRE2_LIBS) $(CHECK_LIBS)
endif

man_MANS = man/leveretd.8
EXTRA_DIST += man/leveretd.8.in
CLEANFILES += man/leveretd.8
man/leveretd.8: man/leveretd.8.in Makefile
	$(AM_V_GEN)$(MKDIR_P) man && sed -e 's|@sysconfdir[@]|$(sysconfdir)|' \
	  -e 's|@localstatedir[@]|$(localstatedir)|' $(srcdir)/man/leveretd.8.in >$@
leveretd_tests = tests/unit/test_configuration.py tests/unit/test_leveretd.py \
	tests/unit/test_service_manager.py
EXTRA_DIST += $(leveretd_tests) tests/unit/configurations
TESTS += $(leveretd_tests)
