plugin_PROGRAMS += plugins/vmd-fk.so
plugins_vmd_fk_so_SOURCES = \
	plugins/vmd-fk/vmd_fk.c \
	plugins/vmd-fk/variant.h plugins/vmd-fk/variant.c \
	plugins/vmd-fk/state.h plugins/vmd-fk/state.c \
	plugins/vmd-fk/state_parse.c \
	plugins/vmd-fk/unit.h plugins/vmd-fk/unit.c \
	plugins/vmd-fk/output.h plugins/vmd-fk/output.c \
	plugins/vmd-fk/facts.h plugins/vmd-fk/facts.c \
	plugins/vmd-fk/arrays.h plugins/vmd-fk/arrays.c \
	plugins/vmd-fk/evaluate.h plugins/vmd-fk/evaluate.c \
	plugins/gpu/device.h plugins/vmd-fk/device.h plugins/vmd-fk/device.c \
	plugins/vmd-fk/gpu.h plugins/vmd-fk/gpu.c \
	plugins/vmd-fk/offload.h plugins/vmd-fk/offload.c \
	plugins/vmd-fk/team.h plugins/vmd-fk/team.c \
	plugins/vmd-fk/crew.h plugins/vmd-fk/crew.c \
	plugins/vmd-fk/motion.h plugins/vmd-fk/motion.c \
	plugins/vmd-fk/keys.h plugins/vmd-fk/keys.c \
	plugins/vmd-fk/camera.h plugins/vmd-fk/camera.c \
	plugins/vmd-fk/frames.h plugins/vmd-fk/frames.c \
	plugins/vmd-fk/needed.h plugins/vmd-fk/needed.c \
	plugins/vmd-fk/skeleton.h plugins/vmd-fk/skeleton.c \
	plugins/vmd-fk/names.h plugins/vmd-fk/names.c \
	plugins/vmd-fk/core_bones.h plugins/vmd-fk/core_bones.c \
	plugins/vmd-fk/describe.h plugins/vmd-fk/describe.c \
	plugins/vmd-fk/preview.h plugins/vmd-fk/preview.c \
	plugins/vmd-fk/canvas.h plugins/vmd-fk/canvas.c
plugins_vmd_fk_so_CPPFLAGS = $(AM_CPPFLAGS) $(JANSSON_CFLAGS) $(KILN_CUDA_CPPFLAGS)
plugins_vmd_fk_so_CFLAGS = $(so_cflags)
plugins_vmd_fk_so_LDFLAGS = $(so_ldflags)
plugins_vmd_fk_so_LDADD = $(gpu_objects) $(fk_cuda_objects) libkern.a libfmt.a \
	$(KILN_CUDA_LIBS) $(JANSSON_LIBS) $(DEFLATE_LIBS) $(ZLIB_LIBS) -lm -lpthread
dist_man_MANS += plugins/vmd-fk/vmd-fk.7
