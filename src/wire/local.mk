# What src/wire builds. The methods' codec is made from spec/ at build time; make knows the five
# files of one generator run through a stamp.
wire_made = include/leveret/wire/method.h include/leveret/wire/reply.h \
  include/leveret/wire/property_table.h src/wire/method.c src/wire/reply.c
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
  include/leveret/wire/table.h \
  src/wire/frame.c src/wire/properties.c src/wire/table.c src/wire/table_build.c \
  src/wire/table_compare.c
nodist_src_wire_libwire_a_SOURCES = $(wire_made)
