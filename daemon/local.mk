# kilnd: the thin main, and the journey that it wires.
noinst_LIBRARIES += libkilnd.a
libkilnd_a_CPPFLAGS = $(AM_CPPFLAGS) $(JANSSON_CFLAGS)
libkilnd_a_SOURCES = \
	daemon/kiln.h daemon/kiln.c daemon/kiln_parts.h \
	daemon/kiln_ask.h daemon/kiln_ask.c daemon/kiln_tell.h daemon/kiln_tell.c \
	daemon/kiln_intake.h daemon/kiln_intake.c \
	daemon/kiln_hold.h daemon/kiln_hold.c daemon/kiln_space.h daemon/kiln_space.c \
	daemon/kiln_run.h daemon/kiln_start.c daemon/kiln_batch.c \
	daemon/kiln_keep.h daemon/kiln_keep.c daemon/kiln_wait.h daemon/kiln_wait.c \
	daemon/kiln_reload.h daemon/kiln_reload.c \
	daemon/kiln_answer.h daemon/kiln_answer.c daemon/kiln_status.c \
	daemon/kiln_explain.c daemon/kiln_order.c daemon/kiln_amend.c daemon/kiln_drop.c \
	daemon/outcome.h daemon/outcome.c
# What a program that holds the whole daemon links.
kilnd_libs = libkilnd.a libkdserve.a libkdwork.a libkdintake.a libkdqueue.a \
	libkdmanifest.a $(rules_libs) $(SQLITE_LIBS) $(EV_LIBS) \
	$(SYSTEMD_LIBS) -lpthread

sbin_PROGRAMS += kilnd
kilnd_CPPFLAGS = $(AM_CPPFLAGS) -DKILN_CONF='"$(sysconfdir)/kiln/kiln.toml"'
kilnd_SOURCES = daemon/kilnd.c
kilnd_LDADD = $(kilnd_libs)
dist_man_MANS += daemon/kilnd.8
