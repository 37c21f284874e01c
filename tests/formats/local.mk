# tests/formats
tap_programs += tests/formats/t_vmd
tests_formats_t_vmd_SOURCES = tests/formats/t_vmd.c tests/formats/build.h tests/formats/build.c
tests_formats_t_vmd_CPPFLAGS = $(check_cppflags)
tests_formats_t_vmd_LDADD = $(libfmt_libs) $(CMOCKA_LIBS) -lm
