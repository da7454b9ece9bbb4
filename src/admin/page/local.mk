# What src/admin/page builds: the page's files as constants, and what serves them.
src_admin_libadmin_a_SOURCES += \
	src/admin/page/login.c \
	src/admin/page/page.c \
	src/admin/page/page.h \
	src/admin/page/web_files.h
nodist_src_admin_libadmin_a_SOURCES = src/admin/page/web_files.c

# The page; its modules are loaded by app.js. The library is Debian's: nothing of it is in the tree.
web_sources = \
	web/app.js \
	web/index.html \
	web/style.css
EXTRA_DIST += $(web_sources) scripts/embed-web
if PAGE
web_embedded = $(web_sources) --lib $(DYGRAPHS)/dygraph.min.js $(DYGRAPHS)/dygraph.min.css
endif
CLEANFILES += src/admin/page/web_files.c
src/admin/page/web_files.c: $(web_sources) scripts/embed-web Makefile
	$(AM_V_GEN)$(MKDIR_P) src/admin/page && \
	$(PYTHON) $(srcdir)/scripts/embed-web $@.new $(srcdir) $(web_embedded) && mv -f $@.new $@
