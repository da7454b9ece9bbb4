# What src/auth builds.
noinst_LIBRARIES += src/auth/libauth.a
src_auth_libauth_a_CFLAGS = $(AM_CFLAGS) $(CRYPTO_CFLAGS) $(JANSSON_CFLAGS)
src_auth_libauth_a_SOURCES = \
	include/leveret/auth/attempts.h \
	include/leveret/auth/auth.h \
	include/leveret/auth/defaults.h \
	include/leveret/auth/limits.h \
	include/leveret/auth/parameters.h \
	include/leveret/auth/topic_permissions.h \
	src/auth/attempts.c \
	src/auth/auth.c \
	src/auth/change.c \
	src/auth/defaults.c \
	src/auth/directory.h \
	src/auth/entry.c \
	src/auth/limits.c \
	src/auth/load.c \
	src/auth/parameters.c \
	src/auth/password.c \
	src/auth/password.h \
	src/auth/auth_record.c \
	src/auth/auth_record.h \
	src/auth/sasl.c \
	src/auth/staged.c \
	src/auth/staged.h \
	src/auth/topic_entry.c \
	src/auth/topic_entry.h \
	src/auth/topic_permissions.c

if HAVE_CHECK
check_PROGRAMS += tests/unit/test_attempts tests/unit/test_auth tests/unit/test_auth_changes \
	tests/unit/test_parameters tests/unit/test_topic_permissions
TESTS += tests/unit/test_attempts tests/unit/test_auth tests/unit/test_auth_changes \
	tests/unit/test_parameters tests/unit/test_topic_permissions
tests_unit_test_topic_permissions_SOURCES = tests/unit/test_topic_permissions.c \
	tests/unit/auth_fixture.h
tests_unit_test_topic_permissions_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_topic_permissions_LDADD = src/auth/libauth.a src/wire/libwire.a src/base/libbase.a \
	$(CRYPTO_LIBS) $(JANSSON_LIBS) $(PCRE2_LIBS) $(XXHASH_LIBS) $(CHECK_LIBS)
tests_unit_test_parameters_SOURCES = tests/unit/test_parameters.c
tests_unit_test_parameters_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_parameters_LDADD = src/auth/libauth.a src/wire/libwire.a src/base/libbase.a \
	$(CRYPTO_LIBS) $(JANSSON_LIBS) $(PCRE2_LIBS) $(XXHASH_LIBS) $(CHECK_LIBS)
tests_unit_test_attempts_SOURCES = tests/unit/test_attempts.c
tests_unit_test_attempts_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_attempts_LDADD = src/auth/libauth.a src/base/libbase.a $(XXHASH_LIBS) $(CHECK_LIBS)
tests_unit_test_auth_SOURCES = tests/unit/test_auth.c tests/unit/auth_fixture.h
tests_unit_test_auth_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_auth_LDADD = src/auth/libauth.a src/wire/libwire.a src/base/libbase.a \
	$(CRYPTO_LIBS) $(JANSSON_LIBS) $(PCRE2_LIBS) $(XXHASH_LIBS) $(CHECK_LIBS)
tests_unit_test_auth_changes_SOURCES = tests/unit/test_auth_changes.c tests/unit/auth_fixture.h
tests_unit_test_auth_changes_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_auth_changes_LDADD = src/auth/libauth.a src/wire/libwire.a src/base/libbase.a \
	$(CRYPTO_LIBS) $(JANSSON_LIBS) $(PCRE2_LIBS) $(XXHASH_LIBS) $(CHECK_LIBS)
endif
