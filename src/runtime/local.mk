# What src/runtime builds: event loop, timers, mailboxes, workers.
noinst_LIBRARIES += src/runtime/libruntime.a
src_runtime_libruntime_a_CPPFLAGS = $(AM_CPPFLAGS) $(EVENT_CFLAGS)
src_runtime_libruntime_a_SOURCES = \
	include/leveret/runtime/loop.h \
	include/leveret/runtime/worker.h \
	src/runtime/loop.c \
	src/runtime/loop_internal.h \
	src/runtime/mailbox.c \
	src/runtime/mailbox.h \
	src/runtime/task.c \
	src/runtime/task.h \
	src/runtime/worker.c

if HAVE_CHECK
check_PROGRAMS += tests/unit/test_loop
TESTS += tests/unit/test_loop
tests_unit_test_loop_SOURCES = tests/unit/test_loop.c
tests_unit_test_loop_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_unit_test_loop_LDADD = src/runtime/libruntime.a src/base/libbase.a \
	$(EVENT_LIBS) $(XXHASH_LIBS) $(CRYPTO_LIBS) $(CHECK_LIBS)
endif
