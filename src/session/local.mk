# What src/session builds: AMQP connections.
noinst_LIBRARIES += src/session/libsession.a
src_session_libsession_a_SOURCES = \
	include/leveret/session/session.h \
	src/session/basic_class.c \
	src/session/channel.c \
	src/session/confirm.c \
	src/session/consumers.c \
	src/session/content.c \
	src/session/deliver.c \
	src/session/event.c \
	src/session/exchange_class.c \
	src/session/gate.c \
	src/session/handshake.c \
	src/session/internal.h \
	src/session/permit.c \
	src/session/queue_class.c \
	src/session/reply_code.c \
	src/session/select_class.c \
	src/session/session.c \
	src/session/sessions.c
