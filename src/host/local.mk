# What src/host builds: the node, and where each vhost lives.
noinst_LIBRARIES += src/host/libhost.a
src_host_libhost_a_SOURCES = \
	include/leveret/host/node.h \
	src/host/alarm.c \
	src/host/data_dir.c \
	src/host/announce.c \
	src/host/home.c \
	src/host/home.h \
	src/host/link.c \
	src/host/made.c \
	src/host/node.c \
	src/host/node_internal.h \
	src/host/reopen.c \
	src/host/watch.c
