# Knows nothing of kiln.
noinst_LIBRARIES += libkdbase.a
libkdbase_a_SOURCES = \
	daemon/base/err.h daemon/base/err.c \
	daemon/base/file.h daemon/base/file.c \
	daemon/base/hash.h daemon/base/hash.c \
	daemon/base/log.h daemon/base/log.c \
	daemon/base/name.h daemon/base/name.c \
	daemon/base/series.h daemon/base/series.c \
	daemon/base/stems.h daemon/base/stems.c \
	daemon/base/wire.h daemon/base/wire.c
libkdbase_a_CPPFLAGS = $(AM_CPPFLAGS) $(SYSTEMD_CFLAGS) $(CRYPTO_CFLAGS) $(JANSSON_CFLAGS)
# What a program that links libkdbase.a links besides.
base_libs = libkdbase.a $(CRYPTO_LIBS) $(JANSSON_LIBS)
