# kilnctl: its commands, one file each, and what they share.
noinst_LIBRARIES += libkdctl.a
libkdctl_a_CPPFLAGS = $(AM_CPPFLAGS) $(JANSSON_CFLAGS) \
	-DKILN_CONF='"$(sysconfdir)/kiln/kiln.toml"'
libkdctl_a_SOURCES = \
	daemon/ctl/ask.h daemon/ctl/ask.c \
	daemon/ctl/backup.c \
	daemon/ctl/bar.h daemon/ctl/bar.c \
	daemon/ctl/check.c \
	daemon/ctl/ctl.h daemon/ctl/ctl.c \
	daemon/ctl/describe.c \
	daemon/ctl/drop.c \
	daemon/ctl/explain.c \
	daemon/ctl/origin.h daemon/ctl/origin.c \
	daemon/ctl/facts.h daemon/ctl/facts.c \
	daemon/ctl/kernels.h daemon/ctl/kernels.c \
	daemon/ctl/list.c \
	daemon/ctl/order.c \
	daemon/ctl/plan.h daemon/ctl/plan.c \
	daemon/ctl/reload.c \
	daemon/ctl/report.h daemon/ctl/report.c \
	daemon/ctl/run.c \
	daemon/ctl/settled.h daemon/ctl/settled.c \
	daemon/ctl/status.c \
	daemon/ctl/table.h daemon/ctl/table.c \
	daemon/ctl/text.h daemon/ctl/text.c \
	daemon/ctl/unit.h daemon/ctl/unit.c \
	daemon/ctl/watch.c
ctl_libs = libkdctl.a libkdpublish.a libkdwork.a libkdserve.a libkdmanifest.a $(rules_libs) -lm

bin_PROGRAMS += kilnctl
kilnctl_SOURCES = daemon/kilnctl.c
kilnctl_LDADD = $(ctl_libs)
dist_man_MANS += daemon/kilnctl.1

# bash asks for completions by the program's name.
completionsdir = $(datadir)/bash-completion/completions
EXTRA_DIST += contrib/completions/kilnctl.bash
install-data-local: install-completions
install-completions:
	$(MKDIR_P) "$(DESTDIR)$(completionsdir)"
	$(INSTALL_DATA) $(srcdir)/contrib/completions/kilnctl.bash \
		"$(DESTDIR)$(completionsdir)/kilnctl"
uninstall-local: uninstall-completions
uninstall-completions:
	rm -f "$(DESTDIR)$(completionsdir)/kilnctl"
.PHONY: install-completions uninstall-completions
