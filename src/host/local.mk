# What src/host builds: the node, and where each vhost lives.
noinst_LIBRARIES += src/host/libhost.a
src_host_libhost_a_SOURCES = \
	include/leveret/host/node.h \
	src/host/alarms.c \
	src/host/alarms.h \
	src/host/announcer.c \
	src/host/announcer.h \
	src/host/data_dir.c \
	src/host/data_dir.h \
	src/host/data_dir_filled.c \
	src/host/home.c \
	src/host/home.h \
	src/host/link.c \
	src/host/link.h \
	src/host/link_copy.c \
	src/host/link_copy.h \
	src/host/node.c \
	src/host/node_internal.h \
	src/host/reopener.c \
	src/host/reopener.h \
	src/host/resources.c \
	src/host/resources.h \
	src/host/share.c \
	src/host/share.h \
	src/host/traffic.c

if HAVE_CHECK
check_PROGRAMS += tests/unit/test_share
TESTS += tests/unit/test_share
tests_unit_test_share_SOURCES = tests/unit/test_share.c
tests_unit_test_share_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_unit_test_share_LDADD = src/host/libhost.a src/base/libbase.a $(CHECK_LIBS)
endif
