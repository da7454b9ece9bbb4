# What src/net builds: listeners and connections.
noinst_LIBRARIES += src/net/libnet.a
src_net_libnet_a_SOURCES = \
	include/leveret/net/connection.h \
	include/leveret/net/listener.h \
	src/net/address.c \
	src/net/address.h \
	src/net/connection.c \
	src/net/connection_internal.h \
	src/net/input.c \
	src/net/listener.c \
	src/net/output.c \
	src/net/output.h \
	src/net/transport.h \
	src/net/transport_plain.c \
	src/net/write.c
