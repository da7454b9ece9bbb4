# What src/ctl builds: leveretctl, the command line of the HTTP API.
bin_PROGRAMS += leveretctl
leveretctl_CPPFLAGS = $(AM_CPPFLAGS) $(CURL_CFLAGS) $(JANSSON_CFLAGS) $(INIH_CFLAGS)
leveretctl_LDADD = src/base/libbase.a $(CURL_LIBS) $(JANSSON_LIBS) $(INIH_LIBS)
leveretctl_SOURCES = \
	src/ctl/api.c src/ctl/api.h \
	src/ctl/command.c src/ctl/command.h \
	src/ctl/config.c \
	src/ctl/http.c src/ctl/http.h \
	src/ctl/limits.c \
	src/ctl/list.c \
	src/ctl/main.c \
	src/ctl/messages.c \
	src/ctl/node.c \
	src/ctl/options.c src/ctl/options.h \
	src/ctl/pairs.c src/ctl/pairs.h \
	src/ctl/parameters.c \
	src/ctl/policies.c \
	src/ctl/rows.c src/ctl/rows.h \
	src/ctl/session.h \
	src/ctl/table.c src/ctl/table.h \
	src/ctl/topology.c \
	src/ctl/users.c \
	src/ctl/vhosts.c \
	src/ctl/watermarks.c \
	src/ctl/value.c src/ctl/value.h

dist_man_MANS += man/leveretctl.1
bashcompdir = $(datadir)/bash-completion/completions
dist_bashcomp_DATA = src/ctl/completion/leveretctl

if HAVE_CHECK
check_PROGRAMS += tests/unit/test_ctl_table
TESTS += tests/unit/test_ctl_table
tests_unit_test_ctl_table_SOURCES = tests/unit/test_ctl_table.c \
	src/ctl/table.c src/ctl/table.h \
	src/ctl/value.c src/ctl/value.h
tests_unit_test_ctl_table_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/src/ctl $(JANSSON_CFLAGS)
tests_unit_test_ctl_table_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_ctl_table_LDADD = src/base/libbase.a $(JANSSON_LIBS) $(XXHASH_LIBS) $(CHECK_LIBS)
endif
