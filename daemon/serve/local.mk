# The control socket and what systemd is told.
noinst_LIBRARIES += libkdserve.a
libkdserve_a_CPPFLAGS = $(AM_CPPFLAGS) $(JANSSON_CFLAGS) $(SYSTEMD_CFLAGS)
libkdserve_a_SOURCES = \
	daemon/serve/control.h daemon/serve/control.c daemon/serve/control_connect.c \
	daemon/serve/control_client.h daemon/serve/control_client.c \
	daemon/serve/notify.h daemon/serve/notify.c
