# Arithmetic only.  A variant is a file of its own; its flags belong to a set of its own.
noinst_LIBRARIES += libkern.a
# gcc 12 fuses when it turns neighbouring statements into vectors, whatever the first flag
# says, once somebody's CFLAGS grant FMA; the second forbids that.
libkern_a_CFLAGS = $(so_cflags) -ffp-contract=off -fno-tree-slp-vectorize
libkern_a_SOURCES = \
	kernels/both.h kernels/caps.h kernels/caps.c kernels/trig.h kernels/quat.h \
	kernels/arc.h kernels/view.h kernels/view_lanes.h kernels/view.c \
	kernels/supersample.h kernels/supersample.c \
	kernels/remap.h kernels/remap_place.h kernels/remap_deep.h \
	kernels/quads.h kernels/remap_quads.h kernels/remap_prepare.c kernels/remap.c \
	kernels/view_place.h kernels/remap_walk.h \
	kernels/curve.h kernels/curve_solve.h kernels/curve.c \
	kernels/track.h kernels/track_sample.h kernels/track.c \
	kernels/track_table.h \
	kernels/morph.h kernels/morph_element.h kernels/morph_walk.h kernels/morph.c \
	kernels/pose.h kernels/pose_state.h kernels/pose_bone.h kernels/pose.c \
	kernels/pose_place.h kernels/pose_place.c \
	kernels/pose_plan.h kernels/pose_plan.c kernels/pose_walk.h \
	kernels/pose_arrays.h kernels/pose_arrays.c \
	kernels/ik.h kernels/ik_link.h kernels/ik_turn.h kernels/ik.c \
	kernels/lanes.h kernels/lanes_quat.h kernels/pose_lanes_state.h \
	kernels/pose_lanes_direct.h kernels/pose_lanes.h kernels/ik_lanes.h \
	kernels/lanes_bits.h kernels/wide.h kernels/curve_lanes_halve.h \
	kernels/curve_lanes_digits.h kernels/curve_lanes.h kernels/track_lanes.h \
	kernels/track_lanes_weights.h kernels/morph_lanes.h

# Sets of their own, so that their flags reach nothing else; on other machines the files
# are empty.
EXTRA_LIBRARIES += libkern_avx2.a libkern_avx512.a
libkern_avx2_a_CFLAGS = $(libkern_a_CFLAGS) $(KILN_AVX2)
libkern_avx2_a_SOURCES = kernels/pose_avx2.c kernels/track_avx2.c \
	kernels/morph_avx2.c \
	kernels/remap_avx2.c kernels/view_avx2.c kernels/supersample_avx2.c
libkern_avx512_a_CFLAGS = $(libkern_a_CFLAGS) $(KILN_AVX512)
libkern_avx512_a_SOURCES = kernels/pose_avx512.c kernels/track_avx512.c \
	kernels/morph_avx512.c \
	kernels/remap_avx512.c kernels/view_avx512.c
libkern_a_LIBADD = $(libkern_avx2_a_OBJECTS) $(libkern_avx512_a_OBJECTS)
libkern_a_DEPENDENCIES = $(libkern_a_LIBADD)
EXTRA_DIST += kernels/NOTES.md kernels/pose.md kernels/track.md kernels/morph.md \
	kernels/remap.md kernels/vmd-fk.md kernels/pano-views.md

# CUDA: whoever uses these objects links $(KILN_CUDA_LIBS) too.
cuda_sources = kernels/track_cuda.cu kernels/morph_cuda.cu kernels/pose_cuda.cu \
	kernels/remap_cuda.cu
fk_cuda_objects =
pv_cuda_objects =
if HAVE_CUDA
fk_cuda_objects += kernels/track_cuda.o kernels/morph_cuda.o kernels/pose_cuda.o
pv_cuda_objects += kernels/remap_cuda.o
endif
cuda_objects = $(fk_cuda_objects) $(pv_cuda_objects)
EXTRA_DIST += $(cuda_sources) kernels/launch_cuda.h
# automake tracks no headers for these.
$(cuda_objects): $(libkern_a_SOURCES) kernels/launch_cuda.h Makefile
