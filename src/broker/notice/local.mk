# What src/broker/notice builds: what the broker itself has to say.
src_broker_libbroker_a_SOURCES += \
	src/broker/notice/notice.c \
	src/broker/notice/notice.h
