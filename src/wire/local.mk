# What src/wire builds. The methods' codec is made from spec/ at build time; make knows the six
# files of one generator run through a stamp.
wire_made = include/leveret/wire/method.h include/leveret/wire/reply.h \
  include/leveret/wire/property_table.h include/leveret/wire/method_table.h \
  src/wire/method.c src/wire/reply.c
BUILT_SOURCES += $(wire_made)
CLEANFILES += $(wire_made) spec/stamp-codec
EXTRA_DIST += spec/amqp0-9-1.spec spec/generate.py

spec/stamp-codec: $(srcdir)/spec/amqp0-9-1.spec $(srcdir)/spec/generate.py
	$(AM_V_GEN)$(MKDIR_P) spec && touch $@.new && \
	$(PYTHON) $(srcdir)/spec/generate.py $(srcdir)/spec/amqp0-9-1.spec . && mv -f $@.new $@
$(wire_made): spec/stamp-codec
	@test -f $@ || { rm -f spec/stamp-codec; $(MAKE) $(AM_MAKEFLAGS) spec/stamp-codec; }

noinst_LIBRARIES += src/wire/libwire.a
src_wire_libwire_a_SOURCES = \
  include/leveret/wire/cursor.h include/leveret/wire/frame.h include/leveret/wire/properties.h \
  include/leveret/wire/rewrite.h include/leveret/wire/table.h include/leveret/wire/table_sort.h \
  src/wire/frame.c src/wire/frame_fault.c src/wire/properties.c src/wire/rewrite.c src/wire/table.c src/wire/table_build.c \
  src/wire/table_compare.c src/wire/table_sort.c
nodist_src_wire_libwire_a_SOURCES = $(wire_made)
$(src_wire_libwire_a_OBJECTS): spec/stamp-codec

# Its tests. wire_random makes random values for those here, in tests/interop and tests/fuzz.
EXTRA_DIST += tests/unit/test_spec.py
TESTS += tests/unit/test_spec.py

if HAVE_CHECK
wire_tests = tests/unit/test_frame tests/unit/test_table tests/unit/test_properties \
  tests/unit/test_method
check_PROGRAMS += $(wire_tests)
TESTS += $(wire_tests)
endif
check_LIBRARIES += tests/support/libwirerandom.a
tests_support_libwirerandom_a_SOURCES = tests/support/wire_random.c tests/support/wire_random.h

wire_test_cppflags = $(AM_CPPFLAGS) -I$(top_srcdir)/tests/support
wire_test_ldadd = tests/support/libwirerandom.a src/wire/libwire.a src/base/libbase.a

tests_unit_test_frame_SOURCES = tests/unit/test_frame.c
tests_unit_test_frame_CPPFLAGS = $(wire_test_cppflags)
tests_unit_test_frame_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_frame_LDADD = $(wire_test_ldadd) $(CHECK_LIBS)

tests_unit_test_table_SOURCES = tests/unit/test_table.c
tests_unit_test_table_CPPFLAGS = $(wire_test_cppflags)
tests_unit_test_table_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_table_LDADD = $(wire_test_ldadd) $(CHECK_LIBS)

tests_unit_test_properties_SOURCES = tests/unit/test_properties.c
tests_unit_test_properties_CPPFLAGS = $(wire_test_cppflags)
tests_unit_test_properties_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_properties_LDADD = $(wire_test_ldadd) $(CHECK_LIBS)

tests_unit_test_method_SOURCES = tests/unit/test_method.c
tests_unit_test_method_CPPFLAGS = $(wire_test_cppflags)
tests_unit_test_method_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_method_LDADD = $(wire_test_ldadd) $(CHECK_LIBS)
