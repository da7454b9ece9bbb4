# What src/broker builds.
noinst_LIBRARIES += src/broker/libbroker.a
src_broker_libbroker_a_SOURCES =

# Routing: exchanges, bindings, which queues a message goes to.
src_broker_libbroker_a_SOURCES += \
	src/broker/binding.h \
	src/broker/definition.h \
	src/broker/endpoint.h \
	src/broker/exchange.h \
	src/broker/refusal.h \
	src/broker/roster.h \
	src/broker/route.h \
	src/broker/routing.h \
	src/broker/topology.h
