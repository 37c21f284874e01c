# The daemon's side of work: keepers and what they are given.
noinst_LIBRARIES += libkdwork.a
libkdwork_a_CPPFLAGS = $(AM_CPPFLAGS) $(JANSSON_CFLAGS)
libkdwork_a_SOURCES = \
	daemon/work/pool.h daemon/work/pool.c \
	daemon/work/pool_keeper.h daemon/work/pool_keeper.c \
	daemon/work/pool_message.h daemon/work/pool_message.c \
	daemon/work/reading.h daemon/work/reading.c \
	daemon/work/session.h daemon/work/session.c \
	daemon/work/spawn.h daemon/work/spawn.c
