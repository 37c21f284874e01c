# What systemd is told.  The drop-ins are for the administrator to choose, so they are
# installed where systemd does not look by itself.
sysusersdir = $(prefix)/lib/sysusers.d
tmpfilesdir = $(prefix)/lib/tmpfiles.d
dropindir = $(pkgdatadir)/systemd
systemdsystemunit_DATA = systemd/kilnd.service
dist_dropin_DATA = systemd/kilnd-gpu.conf systemd/notify-reload.conf
EXTRA_DIST += systemd/kilnd.service.in systemd/kiln.sysusers systemd/kiln.tmpfiles
CLEANFILES += systemd/kilnd.service

systemd/kilnd.service: systemd/kilnd.service.in Makefile
	$(AM_V_at)$(MKDIR_P) systemd
	$(AM_V_GEN)sed -e 's|[@]bindir@|$(bindir)|g' -e 's|[@]sbindir@|$(sbindir)|g' \
		-e 's|[@]sysconfdir@|$(sysconfdir)|g' $(srcdir)/systemd/kilnd.service.in >$@.new
	$(AM_V_at)mv -f $@.new $@

install-data-local: install-sysusers
install-sysusers:
	$(MKDIR_P) "$(DESTDIR)$(sysusersdir)" "$(DESTDIR)$(tmpfilesdir)"
	$(INSTALL_DATA) $(srcdir)/systemd/kiln.sysusers "$(DESTDIR)$(sysusersdir)/kiln.conf"
	$(INSTALL_DATA) $(srcdir)/systemd/kiln.tmpfiles "$(DESTDIR)$(tmpfilesdir)/kiln.conf"
uninstall-local: uninstall-sysusers
uninstall-sysusers:
	rm -f "$(DESTDIR)$(sysusersdir)/kiln.conf" "$(DESTDIR)$(tmpfilesdir)/kiln.conf"
.PHONY: install-sysusers uninstall-sysusers
