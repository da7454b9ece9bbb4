# What src/broker/notice builds: what the broker itself has to say.
noinst_LIBRARIES += src/broker/notice/libnotice.a
src_broker_notice_libnotice_a_CPPFLAGS = $(AM_CPPFLAGS) $(XXHASH_CFLAGS)
src_broker_notice_libnotice_a_SOURCES = \
	src/broker/notice/notice.c \
	src/broker/notice/notice.h
