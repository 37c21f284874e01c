# tests/plugins
check_PROGRAMS += tests/plugins/run-plugin
tests_plugins_run_plugin_SOURCES = \
	tests/plugins/run-plugin.c tests/plugins/host.h tests/plugins/host.c

# vmd-fk as it is, but for the GPU.
check_PROGRAMS += tests/plugins/imitated.so
tests_plugins_imitated_so_SOURCES = tests/plugins/imitated.c \
	tests/kernels/imitation.c tests/kernels/imitation_fk.c
tests_plugins_imitated_so_CFLAGS = $(so_cflags) -ffp-contract=off
tests_plugins_imitated_so_LDFLAGS = $(AM_LDFLAGS) -shared
tests_plugins_imitated_so_LDADD = $(plugins_vmd_fk_so_OBJECTS) $(plugins_vmd_fk_so_LDADD)
tap_scripts += tests/plugins/t_vmd_fk_gpu.py tests/plugins/t_cuda.sh

# What proves vmd-fk's variants, itself.
tap_programs += tests/plugins/t_fk_variant
tests_plugins_t_fk_variant_SOURCES = tests/plugins/t_fk_variant.c
tests_plugins_t_fk_variant_CPPFLAGS = $(check_cppflags)
tests_plugins_t_fk_variant_LDADD = $(plugins_vmd_fk_so_OBJECTS) \
	$(plugins_vmd_fk_so_LDADD) $(CMOCKA_LIBS)

# And pano-views.
check_PROGRAMS += tests/plugins/imitated-pano.so
tests_plugins_imitated_pano_so_SOURCES = tests/plugins/imitated-pano.c \
	tests/kernels/imitation.c tests/kernels/imitation_pv.c
tests_plugins_imitated_pano_so_CFLAGS = $(so_cflags) -ffp-contract=off
tests_plugins_imitated_pano_so_LDFLAGS = $(AM_LDFLAGS) -shared
tests_plugins_imitated_pano_so_LDADD = $(plugins_pano_views_so_OBJECTS) \
	$(plugins_pano_views_so_LDADD)

tap_scripts += \
	tests/plugins/t_accuracy.py tests/plugins/t_vmd_fk.py tests/plugins/t_vmd_fk_output.py
EXTRA_DIST += tests/plugins/cuda.sh tests/plugins/mmd.py tests/plugins/pano.py tests/plugins/pictures.py
tap_scripts += tests/plugins/t_template.sh tests/plugins/t_pano_views.py \
	tests/plugins/t_pano_formats.py tests/plugins/t_pano_threads.py \
	tests/plugins/t_pano_gpu.py tests/plugins/t_pano_cuda.sh \
	tests/plugins/t_pano_masks.py tests/plugins/t_pano_beside.py \
	tests/plugins/t_pano_bad_input.py tests/plugins/t_pano_memory.py

tap_programs += tests/plugins/t_pano_crew
tests_plugins_t_pano_crew_SOURCES = \
	tests/plugins/t_pano_crew.c plugins/pano-views/crew.c
tests_plugins_t_pano_crew_CPPFLAGS = $(check_cppflags)
tests_plugins_t_pano_crew_LDADD = libfmt.a $(CMOCKA_LIBS) -lpthread
