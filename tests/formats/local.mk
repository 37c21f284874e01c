# tests/formats
tap_programs += \
	tests/formats/t_text tests/formats/t_vmd tests/formats/t_model
tests_formats_t_text_SOURCES = tests/formats/t_text.c
tests_formats_t_text_CPPFLAGS = $(check_cppflags)
tests_formats_t_text_LDADD = $(libfmt_libs) $(CMOCKA_LIBS) -lm
tests_formats_t_vmd_SOURCES = tests/formats/t_vmd.c tests/formats/build.h tests/formats/build.c
tests_formats_t_vmd_CPPFLAGS = $(check_cppflags)
tests_formats_t_vmd_LDADD = $(libfmt_libs) $(CMOCKA_LIBS) -lm
tap_programs += tests/formats/t_vmd_baked
tests_formats_t_vmd_baked_SOURCES = \
	tests/formats/t_vmd_baked.c tests/formats/build.h tests/formats/build.c
tests_formats_t_vmd_baked_CPPFLAGS = $(check_cppflags)
tests_formats_t_vmd_baked_LDADD = $(libfmt_libs) $(CMOCKA_LIBS) -lm -lpthread
tests_formats_t_model_SOURCES = \
	tests/formats/t_model.c tests/formats/build.h tests/formats/build.c \
	tests/formats/build_model.h tests/formats/build_model.c
tests_formats_t_model_CPPFLAGS = $(check_cppflags)
tests_formats_t_model_LDADD = $(libfmt_libs) $(CMOCKA_LIBS) -lm

tap_programs += tests/formats/t_vpd
tests_formats_t_vpd_SOURCES = tests/formats/t_vpd.c
tests_formats_t_vpd_CPPFLAGS = $(check_cppflags)
tests_formats_t_vpd_LDADD = $(libfmt_libs) $(CMOCKA_LIBS) -lm

tap_programs += tests/formats/t_npz
tests_formats_t_npz_SOURCES = tests/formats/t_npz.c
tests_formats_t_npz_CPPFLAGS = $(check_cppflags)
tests_formats_t_npz_LDADD = $(libfmt_libs) $(CMOCKA_LIBS) -lm

# Other people's readers on what we write.
check_PROGRAMS += tests/formats/write-npz
tests_formats_write_npz_SOURCES = tests/formats/write-npz.c
tests_formats_write_npz_LDADD = $(libfmt_libs)
tap_scripts += tests/formats/t_numpy.sh

tap_programs += tests/formats/t_deflate
tests_formats_t_deflate_SOURCES = tests/formats/t_deflate.c
tests_formats_t_deflate_CPPFLAGS = $(check_cppflags) $(ZLIB_CFLAGS)
tests_formats_t_deflate_LDADD = $(libfmt_libs) $(CMOCKA_LIBS) -lm

tap_programs += tests/formats/t_image_png
tests_formats_t_image_png_SOURCES = tests/formats/t_image_png.c
tests_formats_t_image_png_CPPFLAGS = $(check_cppflags)
tests_formats_t_image_png_LDADD = \
	$(libfmtimage_libs) $(CMOCKA_LIBS) -lm

# Pictures as other people's programs write them.
check_PROGRAMS += tests/formats/write-picture
tests_formats_write_picture_SOURCES = tests/formats/write-picture.c
tests_formats_write_picture_CPPFLAGS = $(AM_CPPFLAGS) $(JPEG_CFLAGS) $(TIFF_CFLAGS) \
	$(EXR_CFLAGS)
tests_formats_write_picture_LDADD = $(JPEG_LIBS) $(TIFF_LIBS) $(EXR_LIBS)
