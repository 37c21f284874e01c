# Knows nothing of kiln.
noinst_LIBRARIES += libkdbase.a
libkdbase_a_SOURCES = \
	daemon/base/err.h daemon/base/err.c \
	daemon/base/log.h daemon/base/log.c
libkdbase_a_CPPFLAGS = $(AM_CPPFLAGS) $(SYSTEMD_CFLAGS) $(CRYPTO_CFLAGS)
