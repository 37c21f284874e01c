# The configuration.  kiln.toml is the administrator's from the day it is installed: make
# install never replaces it.  The rules are installed as examples, which kilnd does not
# read: a fresh machine has no rules, and no model they could name.
etc_rules = etc/rules.d/copy.toml etc/rules.d/motions.toml
EXTRA_DIST += etc/kiln.toml $(etc_rules)
kilnconfdir = $(sysconfdir)/kiln

install-data-local: install-etc
install-etc:
	$(MKDIR_P) "$(DESTDIR)$(kilnconfdir)/rules.d"
	test -e "$(DESTDIR)$(kilnconfdir)/kiln.toml" || \
	$(INSTALL_DATA) $(srcdir)/etc/kiln.toml "$(DESTDIR)$(kilnconfdir)/kiln.toml"
	for rules in $(etc_rules); do \
		$(INSTALL_DATA) $(srcdir)/$$rules \
			"$(DESTDIR)$(kilnconfdir)/rules.d/$${rules##*/}.example" || exit 1; \
	done

uninstall-local: uninstall-etc
uninstall-etc:
	for rules in $(etc_rules); do \
		rm -f "$(DESTDIR)$(kilnconfdir)/rules.d/$${rules##*/}.example"; \
	done
	! cmp -s $(srcdir)/etc/kiln.toml "$(DESTDIR)$(kilnconfdir)/kiln.toml" || \
		rm -f "$(DESTDIR)$(kilnconfdir)/kiln.toml"
.PHONY: install-etc uninstall-etc
