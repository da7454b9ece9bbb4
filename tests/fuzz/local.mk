# The fuzz targets. Usually each is linked with driver.c and is part of the test run; configured with
# --enable-fuzzers (and clang), each is linked with libFuzzer and scripts/fuzz runs it.
fuzz_targets = tests/fuzz/fuzz_api tests/fuzz/fuzz_definitions tests/fuzz/fuzz_frame \
  tests/fuzz/fuzz_http tests/fuzz/fuzz_method tests/fuzz/fuzz_properties tests/fuzz/fuzz_record \
  tests/fuzz/fuzz_session tests/fuzz/fuzz_table
fuzz_corpus = tests/fuzz/corpus/api.txt tests/fuzz/corpus/definitions.txt \
  tests/fuzz/corpus/frame.txt tests/fuzz/corpus/http.txt tests/fuzz/corpus/method.txt \
  tests/fuzz/corpus/properties.txt tests/fuzz/corpus/record.txt \
  tests/fuzz/corpus/session.txt tests/fuzz/corpus/table.txt
EXTRA_DIST += tests/fuzz/make_corpus.py $(fuzz_corpus)

if FUZZERS
EXTRA_PROGRAMS += $(fuzz_targets)
fuzz_ldflags = -fsanitize=fuzzer
fuzz_driver =
else
check_PROGRAMS += $(fuzz_targets)
TESTS += $(fuzz_targets)
fuzz_ldflags =
fuzz_driver = tests/fuzz/driver.c
endif

# The inputs in their binary form.
check_DATA += tests/fuzz/inputs/stamp
tests/fuzz/inputs/stamp: $(fuzz_corpus) tests/fuzz/make_corpus.py
	$(AM_V_GEN)rm -rf tests/fuzz/inputs && $(MKDIR_P) tests/fuzz/inputs && \
	$(PYTHON) $(srcdir)/tests/fuzz/make_corpus.py \
	  $(addprefix $(srcdir)/,$(fuzz_corpus)) tests/fuzz/inputs && touch $@
clean-fuzz-inputs:
	rm -rf tests/fuzz/inputs
.PHONY: clean-fuzz-inputs
CLEAN_ALSO += clean-fuzz-inputs
CLEANFILES += api.crash definitions.crash frame.crash http.crash method.crash properties.crash \
  record.crash session.crash table.crash

tests_fuzz_fuzz_frame_SOURCES = tests/fuzz/fuzz_frame.c $(fuzz_driver)
tests_fuzz_fuzz_frame_CPPFLAGS = $(AM_CPPFLAGS)
tests_fuzz_fuzz_frame_LDFLAGS = $(AM_LDFLAGS) $(fuzz_ldflags)
tests_fuzz_fuzz_frame_LDADD = src/wire/libwire.a src/base/libbase.a

tests_fuzz_fuzz_method_SOURCES = tests/fuzz/fuzz_method.c $(fuzz_driver)
tests_fuzz_fuzz_method_CPPFLAGS = $(wire_test_cppflags)
tests_fuzz_fuzz_method_LDFLAGS = $(AM_LDFLAGS) $(fuzz_ldflags)
tests_fuzz_fuzz_method_LDADD = $(wire_test_ldadd)

tests_fuzz_fuzz_properties_SOURCES = tests/fuzz/fuzz_properties.c $(fuzz_driver)
tests_fuzz_fuzz_properties_CPPFLAGS = $(AM_CPPFLAGS)
tests_fuzz_fuzz_properties_LDFLAGS = $(AM_LDFLAGS) $(fuzz_ldflags)
tests_fuzz_fuzz_properties_LDADD = src/wire/libwire.a src/base/libbase.a

tests_fuzz_fuzz_record_SOURCES = tests/fuzz/fuzz_record.c $(fuzz_driver)
tests_fuzz_fuzz_record_CPPFLAGS = $(AM_CPPFLAGS)
tests_fuzz_fuzz_record_LDFLAGS = $(AM_LDFLAGS) $(fuzz_ldflags)
tests_fuzz_fuzz_record_LDADD = src/journal/libjournal.a src/base/libbase.a $(XXHASH_LIBS)

tests_fuzz_fuzz_table_SOURCES = tests/fuzz/fuzz_table.c $(fuzz_driver)
tests_fuzz_fuzz_table_CPPFLAGS = $(AM_CPPFLAGS)
tests_fuzz_fuzz_table_LDFLAGS = $(AM_LDFLAGS) $(fuzz_ldflags)
tests_fuzz_fuzz_table_LDADD = src/wire/libwire.a src/base/libbase.a

tests_fuzz_fuzz_session_SOURCES = tests/fuzz/fuzz_session.c tests/unit/session_harness.c \
  tests/unit/session_harness.h $(fuzz_driver)
tests_fuzz_fuzz_session_LDFLAGS = $(AM_LDFLAGS) $(fuzz_ldflags)
tests_fuzz_fuzz_session_LDADD = $(session_test_libs)

tests_fuzz_fuzz_http_SOURCES = tests/fuzz/fuzz_http.c $(fuzz_driver)
tests_fuzz_fuzz_http_CPPFLAGS = $(AM_CPPFLAGS)
tests_fuzz_fuzz_http_LDFLAGS = $(AM_LDFLAGS) $(fuzz_ldflags)
tests_fuzz_fuzz_http_LDADD = src/admin/libadmin.a src/base/libbase.a

fuzz_api_libs = src/admin/libadmin.a $(session_test_libs)
fuzz_api_play = tests/fuzz/api_play.c tests/fuzz/api_play.h tests/unit/session_harness.c \
  tests/unit/session_harness.h
tests_fuzz_fuzz_api_SOURCES = tests/fuzz/fuzz_api.c $(fuzz_api_play) $(fuzz_driver)
tests_fuzz_fuzz_api_CPPFLAGS = $(AM_CPPFLAGS)
tests_fuzz_fuzz_api_LDFLAGS = $(AM_LDFLAGS) $(fuzz_ldflags)
tests_fuzz_fuzz_api_LDADD = $(fuzz_api_libs)

tests_fuzz_fuzz_definitions_SOURCES = tests/fuzz/fuzz_definitions.c $(fuzz_api_play) $(fuzz_driver)
tests_fuzz_fuzz_definitions_CPPFLAGS = $(AM_CPPFLAGS)
tests_fuzz_fuzz_definitions_LDFLAGS = $(AM_LDFLAGS) $(fuzz_ldflags)
tests_fuzz_fuzz_definitions_LDADD = $(fuzz_api_libs)

# For scripts/fuzz.
fuzzers: $(BUILT_SOURCES)
	$(MAKE) $(AM_MAKEFLAGS) $(fuzz_targets) tests/fuzz/inputs/stamp
.PHONY: fuzzers
EXTRA_DIST += scripts/fuzz
