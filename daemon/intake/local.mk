# Drop folders: watched, scanned, settled.
noinst_LIBRARIES += libkdintake.a
libkdintake_a_CPPFLAGS = $(AM_CPPFLAGS) $(JANSSON_CFLAGS)
libkdintake_a_SOURCES = \
	daemon/intake/canary.h daemon/intake/canary.c \
	daemon/intake/drops.h daemon/intake/drops.c \
	daemon/intake/explain.h daemon/intake/explain.c \
	daemon/intake/census.h daemon/intake/census.c \
	daemon/intake/families.h daemon/intake/families.c \
	daemon/intake/filter.h daemon/intake/filter.c \
	daemon/intake/inotify.h daemon/intake/inotify.c \
	daemon/intake/intake.h daemon/intake/intake.c \
	daemon/intake/intake_parts.h daemon/intake/intake_parts.c \
	daemon/intake/intake_root.h daemon/intake/intake_root.c \
	daemon/intake/look.h daemon/intake/look.c \
	daemon/intake/ready.h daemon/intake/ready.c \
	daemon/intake/root.h daemon/intake/root.c \
	daemon/intake/scan.h daemon/intake/scan.c \
	daemon/intake/settle.h daemon/intake/settle.c
