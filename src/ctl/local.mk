# What src/ctl builds: leveretctl, the command line of the HTTP API.
bin_PROGRAMS += leveretctl
leveretctl_CPPFLAGS = $(AM_CPPFLAGS) $(leveretd_dirs) $(CURL_CFLAGS) $(JANSSON_CFLAGS) $(INIH_CFLAGS)
leveretctl_LDADD = src/base/libbase.a $(CURL_LIBS) $(JANSSON_LIBS) $(INIH_LIBS) -lm
leveretctl_SOURCES = \
	src/ctl/api/api.c src/ctl/api/api.h \
	src/ctl/api/http.c src/ctl/api/http.h \
	src/ctl/api/node_name.c src/ctl/api/node_name.h \
	src/ctl/api/problems.c src/ctl/api/problems.h \
	src/ctl/api/session.c src/ctl/api/session.h \
	src/ctl/command/areas.c \
	src/ctl/command/broker.c \
	src/ctl/command/clients.c \
	src/ctl/command/command.c src/ctl/command/command.h \
	src/ctl/command/definitions.c \
	src/ctl/command/help.c \
	src/ctl/command/limits.c \
	src/ctl/command/list.c \
	src/ctl/command/list_kinds.c src/ctl/command/list_kinds.h \
	src/ctl/command/messages.c \
	src/ctl/command/moving.c \
	src/ctl/command/diagnostics.c \
	src/ctl/command/node.c \
	src/ctl/command/node.h \
	src/ctl/command/running.c \
	src/ctl/command/parameters.c \
	src/ctl/command/permissions.c \
	src/ctl/command/policies.c \
	src/ctl/command/topology.c \
	src/ctl/command/users.c \
	src/ctl/command/vhosts.c \
	src/ctl/main.c \
	src/ctl/options/config.c \
	src/ctl/options/line.c src/ctl/options/line.h \
	src/ctl/options/option_table.c src/ctl/options/option_table.h \
	src/ctl/options/options.c src/ctl/options/options.h \
	src/ctl/options/pairs.c src/ctl/options/pairs.h \
	src/ctl/options/settings.c src/ctl/options/settings.h \
	src/ctl/options/target.c src/ctl/options/target.h \
	src/ctl/output/column.c src/ctl/output/column.h \
	src/ctl/output/complain.c src/ctl/output/complain.h \
	src/ctl/output/escape.c src/ctl/output/escape.h \
	src/ctl/output/figures.c src/ctl/output/figures.h \
	src/ctl/output/grid.c src/ctl/output/grid.h \
	src/ctl/output/rows.c src/ctl/output/rows.h \
	src/ctl/output/style.h \
	src/ctl/output/table.c src/ctl/output/table.h \
	src/ctl/output/term.c src/ctl/output/term.h \
	src/ctl/output/value.c src/ctl/output/value.h \
	src/ctl/rabbitmqctl/rabbitmqctl.c src/ctl/rabbitmqctl/rabbitmqctl.h \
	src/ctl/rabbitmqctl/words.c

dist_man_MANS += man/leveretctl.1
bashcompdir = $(datadir)/bash-completion/completions
dist_bashcomp_DATA = src/ctl/completion/leveretctl

ctl_options = \
	src/ctl/options/config.c \
	src/ctl/options/line.c src/ctl/options/line.h \
	src/ctl/options/option_table.c src/ctl/options/option_table.h \
	src/ctl/options/options.c src/ctl/options/options.h \
	src/ctl/options/pairs.c src/ctl/options/pairs.h \
	src/ctl/options/settings.c src/ctl/options/settings.h \
	src/ctl/options/target.c src/ctl/options/target.h
ctl_output = \
	src/ctl/output/column.c src/ctl/output/column.h \
	src/ctl/output/escape.c src/ctl/output/escape.h \
	src/ctl/output/figures.c src/ctl/output/figures.h \
	src/ctl/output/grid.c src/ctl/output/grid.h \
	src/ctl/output/rows.c src/ctl/output/rows.h \
	src/ctl/output/table.c src/ctl/output/table.h \
	src/ctl/output/term.c src/ctl/output/term.h \
	src/ctl/output/value.c src/ctl/output/value.h

if HAVE_CHECK
check_PROGRAMS += tests/unit/test_ctl_table tests/unit/test_ctl_options
TESTS += tests/unit/test_ctl_table tests/unit/test_ctl_options
tests_unit_test_ctl_options_SOURCES = tests/unit/test_ctl_options.c \
	$(ctl_options) \
	src/ctl/output/complain.c src/ctl/output/complain.h \
	$(ctl_output)
tests_unit_test_ctl_options_CPPFLAGS = $(AM_CPPFLAGS) $(leveretd_dirs) $(JANSSON_CFLAGS) $(INIH_CFLAGS)
tests_unit_test_ctl_options_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_ctl_options_LDADD = src/base/libbase.a $(JANSSON_LIBS) $(INIH_LIBS) $(XXHASH_LIBS) $(CHECK_LIBS) -lm
tests_unit_test_ctl_table_SOURCES = tests/unit/test_ctl_table.c \
	$(ctl_output)
tests_unit_test_ctl_table_CPPFLAGS = $(AM_CPPFLAGS) $(JANSSON_CFLAGS)
tests_unit_test_ctl_table_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_ctl_table_LDADD = src/base/libbase.a $(JANSSON_LIBS) $(XXHASH_LIBS) $(CHECK_LIBS) -lm
endif
