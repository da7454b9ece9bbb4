# What a package installs beside the programs: the systemd unit, and a configuration file with every key commented out.
systemdsystemunitdir = @systemdsystemunitdir@
nodist_systemdsystemunit_DATA = contrib/systemd/leveret.service
EXTRA_DIST += contrib/systemd/leveret.service.in contrib/systemd/leveret.sysusers \
	contrib/systemd/leveret.tmpfiles contrib/leveret.logrotate contrib/grafana/leveret.json \
	contrib/prometheus/leveret.rules.yml contrib/prometheus/rules_test.yml
CLEANFILES += contrib/systemd/leveret.service contrib/leveret.conf
contrib/systemd/leveret.service: contrib/systemd/leveret.service.in Makefile
	$(AM_V_GEN)$(MKDIR_P) contrib/systemd && sed -e 's|@sbindir[@]|$(sbindir)|' \
	  $(srcdir)/contrib/systemd/leveret.service.in >$@

sysusersdir = $(prefix)/lib/sysusers.d
tmpfilesdir = $(prefix)/lib/tmpfiles.d
nodist_sysusers_DATA = contrib/sysusers/leveret.conf
nodist_tmpfiles_DATA = contrib/tmpfiles/leveret.conf
CLEANFILES += contrib/sysusers/leveret.conf contrib/tmpfiles/leveret.conf
contrib/sysusers/leveret.conf contrib/tmpfiles/leveret.conf: contrib/%/leveret.conf: contrib/systemd/leveret.%
	$(AM_V_GEN)$(MKDIR_P) $(@D) && cp $< $@

exampledir = $(docdir)/examples
nodist_example_DATA = contrib/leveret.conf
contrib/leveret.conf: leveretd$(EXEEXT)
	$(AM_V_GEN)$(MKDIR_P) contrib && ./leveretd --print-config >$@
