# Readers and writers of files: bytes in, structs out.
noinst_LIBRARIES += libfmt.a
libfmt_a_CFLAGS = $(so_cflags)
libfmt_a_CPPFLAGS = $(AM_CPPFLAGS) $(DEFLATE_CFLAGS) $(SPNG_CFLAGS)
libfmt_a_SOURCES = \
	plugins/formats/err.h plugins/formats/err.c \
	plugins/formats/model.h plugins/formats/vmd.h
