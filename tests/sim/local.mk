# The simulator of the core: see sim.h. One program; tests/unit/core_harness.c is its bench.
if HAVE_CHECK
check_PROGRAMS += tests/sim/simulate
TESTS += tests/sim/simulate
endif
tests_sim_simulate_SOURCES = \
	tests/sim/active.c \
	tests/sim/channels.c \
	tests/sim/checks.c \
	tests/sim/consuming.c \
	tests/sim/dedup.c \
	tests/sim/delivery.c \
	tests/sim/events.c \
	tests/sim/exchanges.c \
	tests/sim/handles.c \
	tests/sim/ledger.c \
	tests/sim/looking.c \
	tests/sim/machine.c \
	tests/sim/numbers.c \
	tests/sim/order.c \
	tests/sim/portions.c \
	tests/sim/publishing.c \
	tests/sim/recount.c \
	tests/sim/recount.h \
	tests/sim/replies.c \
	tests/sim/returns.c \
	tests/sim/sim.h \
	tests/sim/simulate.c \
	tests/sim/steps.c \
	tests/sim/transactions.c \
	tests/sim/world.c \
	$(core_harness)
tests_sim_simulate_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_sim_simulate_LDADD = $(broker_libs) src/journal/libjournal.a src/wire/libwire.a \
	src/base/libbase.a $(PCRE2_LIBS) $(XXHASH_LIBS) $(CRYPTO_LIBS) $(CHECK_LIBS)
