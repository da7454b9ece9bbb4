# Other implementations as judges.
if HAVE_RABBITMQ
check_PROGRAMS += tests/interop/judge_rabbitmq
TESTS += tests/interop/judge_rabbitmq
endif
tests_interop_judge_rabbitmq_SOURCES = tests/interop/judge_rabbitmq.c
tests_interop_judge_rabbitmq_CPPFLAGS = $(wire_test_cppflags)
tests_interop_judge_rabbitmq_CFLAGS = $(AM_CFLAGS) $(RABBITMQ_CFLAGS)
tests_interop_judge_rabbitmq_LDADD = $(wire_test_ldadd) $(RABBITMQ_LIBS)
