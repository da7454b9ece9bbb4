# What src/broker builds.
noinst_LIBRARIES += src/broker/libbroker.a
src_broker_libbroker_a_SOURCES =

# Routing: exchanges, bindings, which queues a message goes to.
src_broker_libbroker_a_SOURCES += \
	src/broker/arguments.c \
	src/broker/arguments.h \
	src/broker/binding.h \
	src/broker/definition.c \
	src/broker/definition.h \
	src/broker/endpoint.h \
	src/broker/exchange.h \
	src/broker/exchange_direct.c \
	src/broker/exchange_fanout.c \
	src/broker/exchange_headers.c \
	src/broker/exchange_topic.c \
	src/broker/exchange_type.c \
	src/broker/header_list.c \
	src/broker/header_list.h \
	src/broker/refusal.c \
	src/broker/refusal.h \
	src/broker/roster.c \
	src/broker/roster.h \
	src/broker/route.c \
	src/broker/route.h \
	src/broker/routing.h \
	src/broker/topology.c \
	src/broker/topology.h \
	src/broker/topology_state.h
