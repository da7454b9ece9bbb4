# What src/admin/page builds: the page's files as constants, and what serves them.
src_admin_libadmin_a_SOURCES += \
	src/admin/page/login.c \
	src/admin/page/page.c \
	src/admin/page/page.h \
	src/admin/page/web_files.h
nodist_src_admin_libadmin_a_SOURCES = src/admin/page/web_files.c

# The page; its modules are loaded by app.js.
web_sources = \
	web/api.js \
	web/app.js \
	web/chart.js \
	web/dom.js \
	web/endpoints.txt \
	web/features.js \
	web/format.js \
	web/index.html \
	web/keys.js \
	web/list.js \
	web/live.js \
	web/pages/api.js \
	web/pages/bindings.js \
	web/pages/channel.js \
	web/pages/channels.js \
	web/pages/connection.js \
	web/pages/connections.js \
	web/pages/consumers.js \
	web/pages/dead_letter_graph.js \
	web/pages/dead_letters.js \
	web/pages/definitions.js \
	web/pages/effective.js \
	web/pages/exchange.js \
	web/pages/exchange_tail.js \
	web/pages/exchanges.js \
	web/pages/limits.js \
	web/pages/log.js \
	web/pages/login.js \
	web/pages/message.js \
	web/pages/metrics.js \
	web/pages/node.js \
	web/pages/node_settings.js \
	web/pages/overview.js \
	web/pages/permissions.js \
	web/pages/policies.js \
	web/pages/policy.js \
	web/pages/policy_form.js \
	web/pages/queue.js \
	web/pages/queue_actions.js \
	web/pages/queue_bulk.js \
	web/pages/queue_forms.js \
	web/pages/queue_messages.js \
	web/pages/queue_moves.js \
	web/pages/queue_picked.js \
	web/pages/queues.js \
	web/pages/user.js \
	web/pages/users.js \
	web/pages/vhost.js \
	web/pages/vhosts.js \
	web/plot.js \
	web/rights.js \
	web/route.js \
	web/style.css \
	web/ui.js
EXTRA_DIST += $(web_sources) scripts/embed-web scripts/http-api-doc docs/http-api.md tests/unit/test_endpoints.py
TESTS += tests/unit/test_endpoints.py
if PAGE
web_embedded = $(web_sources)
endif
CLEANFILES += src/admin/page/web_files.c
src/admin/page/web_files.c: $(web_sources) scripts/embed-web Makefile
	$(AM_V_GEN)$(MKDIR_P) src/admin/page && \
	$(PYTHON) $(srcdir)/scripts/embed-web $@.new $(srcdir) $(web_embedded) && mv -f $@.new $@
