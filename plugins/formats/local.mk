# Readers and writers of files: bytes in, structs out.
noinst_LIBRARIES += libfmt.a
libfmt_a_CFLAGS = $(so_cflags)
libfmt_a_CPPFLAGS = $(AM_CPPFLAGS) $(DEFLATE_CFLAGS) $(ZLIB_CFLAGS)
libfmt_a_SOURCES = \
	plugins/formats/err.h plugins/formats/err.c \
	plugins/formats/bytes.h plugins/formats/bytes.c \
	plugins/formats/text.h plugins/formats/text.c plugins/formats/text_tables.h \
	plugins/formats/model.h plugins/formats/model.c \
	plugins/formats/model_check.h plugins/formats/model_check.c \
	plugins/formats/model_read.h plugins/formats/model_read.c \
	plugins/formats/pmx.h plugins/formats/pmx.c \
	plugins/formats/pmd.h plugins/formats/pmd.c \
	plugins/formats/team.h \
	plugins/formats/vmd.h plugins/formats/vmd.c \
	plugins/formats/vmd_baked.h plugins/formats/vmd_baked.c plugins/formats/vmd_key.h \
	plugins/formats/vmd_names.h plugins/formats/vmd_names.c \
	plugins/formats/vmd_tracks.h plugins/formats/vmd_tracks.c \
	plugins/formats/large.h plugins/formats/large.c \
	plugins/formats/vmd_sort.h plugins/formats/vmd_sort.c \
	plugins/formats/vpd.h plugins/formats/vpd.c \
	plugins/formats/npz.h plugins/formats/npz.c plugins/formats/npz_values.c \
	plugins/formats/npz_sink.h plugins/formats/npz_sink.c \
	plugins/formats/npz_stream.h plugins/formats/npz_stream.c \
	plugins/formats/npz_zip.h plugins/formats/npz_zip.c \
	plugins/formats/deflate.h plugins/formats/deflate.c \
	plugins/formats/deflate_codes.h plugins/formats/deflate_codes.c \
	plugins/formats/png.h plugins/formats/png.c \
	plugins/formats/glyphs.h plugins/formats/glyphs.c
# What a program that links libfmt.a needs besides.
libfmt_libs = libfmt.a $(DEFLATE_LIBS) $(ZLIB_LIBS) -lm

# The tables of characters: the build machine's iconv writes them.
nodist_libfmt_a_SOURCES = plugins/formats/text_tables.c
noinst_PROGRAMS += plugins/formats/make-tables
plugins_formats_make_tables_SOURCES = \
	plugins/formats/make-tables.c plugins/formats/text_tables.h
CLEANFILES += plugins/formats/text_tables.c
plugins/formats/text_tables.c: plugins/formats/make-tables$(EXEEXT)
	$(AM_V_GEN)plugins/formats/make-tables > $@-t && mv $@-t $@

# Pictures, apart: only what reads them links their libraries.
noinst_LIBRARIES += libfmtimage.a
libfmtimage_a_CFLAGS = $(so_cflags)
libfmtimage_a_CPPFLAGS = $(AM_CPPFLAGS) $(DEFLATE_CFLAGS) $(SPNG_CFLAGS) $(JPEG_CFLAGS) \
	$(TIFF_CFLAGS) $(EXR_CFLAGS)
libfmtimage_a_SOURCES = \
	plugins/formats/image_pixel.h plugins/formats/image.h plugins/formats/image_codec.h \
	plugins/formats/image.c \
	plugins/formats/exif.h plugins/formats/exif.c \
	plugins/formats/gpano.h plugins/formats/gpano.c \
	plugins/formats/image_whole.c plugins/formats/image_jpeg.c \
	plugins/formats/image_jpeg_write.c \
	plugins/formats/jpeg_trap.h plugins/formats/jpeg_trap.c \
	plugins/formats/image_png.c plugins/formats/image_png_write.c \
	plugins/formats/png_rows.h plugins/formats/png_rows.c \
	plugins/formats/image_turn.c \
	plugins/formats/image_tiff.h plugins/formats/image_tiff.c \
	plugins/formats/image_tiff_file.c plugins/formats/image_tiff_rows.c \
	plugins/formats/image_tiff_write.c \
	plugins/formats/image_exr.c plugins/formats/image_exr_write.c
# What a program that links it needs besides.
libfmtimage_libs = libfmtimage.a libfmt.a $(JPEG_LIBS) $(TIFF_LIBS) $(EXR_LIBS) \
	$(DEFLATE_LIBS) $(SPNG_LIBS) $(ZLIB_LIBS) -lm
