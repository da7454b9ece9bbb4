# What src/base builds: the library that everything stands on.
noinst_LIBRARIES += src/base/libbase.a
src_base_libbase_a_CPPFLAGS = $(AM_CPPFLAGS) $(XXHASH_CFLAGS)
src_base_libbase_a_SOURCES = \
	include/leveret/base/buffer.h \
	include/leveret/base/bytes.h \
	include/leveret/base/check.h \
	include/leveret/base/clock.h \
	include/leveret/base/heap.h \
	include/leveret/base/log.h \
	include/leveret/base/map.h \
	include/leveret/base/mem.h \
	include/leveret/base/message.h \
	include/leveret/base/random.h \
	include/leveret/base/status.h \
	include/leveret/base/text.h \
	src/base/buffer.c \
	src/base/check.c \
	src/base/clock.c \
	src/base/heap.c \
	src/base/log.c \
	src/base/map.c \
	src/base/mem.c \
	src/base/message.c \
	src/base/random.c \
	src/base/status.c \
	src/base/text.c
