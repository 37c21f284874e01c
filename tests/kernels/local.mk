# tests/kernels
# Solvers of curves by the variants' own flags.
EXTRA_LIBRARIES += tests/kernels/libsolve_avx2.a tests/kernels/libsolve_avx512.a
tests_kernels_libsolve_avx2_a_CFLAGS = $(libkern_avx2_a_CFLAGS)
tests_kernels_libsolve_avx2_a_SOURCES = tests/kernels/solve_avx2.c
tests_kernels_libsolve_avx512_a_CFLAGS = $(libkern_avx512_a_CFLAGS)
tests_kernels_libsolve_avx512_a_SOURCES = tests/kernels/solve_avx512.c
check_solve_objects = $(tests_kernels_libsolve_avx2_a_OBJECTS) \
	$(tests_kernels_libsolve_avx512_a_OBJECTS)

tap_programs += tests/kernels/checkkern
tests_kernels_checkkern_SOURCES = \
	tests/kernels/checkkern.c tests/kernels/ck.h \
	tests/kernels/check_trig.c \
	tests/kernels/check_curve.c tests/kernels/solve.h \
	tests/kernels/solve_lanes.h tests/kernels/check_track.c \
	tests/kernels/check_track_weights.c tests/kernels/check_morph.c \
	tests/kernels/check_pose.h tests/kernels/check_pose.c \
	tests/kernels/check_pose_ik.c tests/kernels/check_pose_bits.c \
	tests/kernels/check_arrays.c \
	tests/kernels/check_view.c \
	tests/kernels/check_remap.c tests/kernels/bench_remap.c \
	tests/kernels/check_supersample.c tests/kernels/check_remap_walk.c \
	tests/kernels/subject.h tests/kernels/subject.c \
	tests/kernels/through.h tests/kernels/through.c \
	tests/kernels/imitation.h tests/kernels/imitation.c \
	tests/kernels/imitation_fk.c plugins/vmd-fk/device.c \
	tests/kernels/imitation_pv.c plugins/pano-views/device.c
tests_kernels_checkkern_CPPFLAGS = $(AM_CPPFLAGS) $(KILN_CUDA_CPPFLAGS)
tests_kernels_checkkern_CFLAGS = $(AM_CFLAGS) -ffp-contract=off
tests_kernels_checkkern_LDADD = $(check_solve_objects) libkern.a $(cuda_objects) $(KILN_CUDA_LIBS) -lm

tap_programs += tests/kernels/t_pose_arrays
tests_kernels_t_pose_arrays_SOURCES = tests/kernels/t_pose_arrays.c
tests_kernels_t_pose_arrays_CPPFLAGS = $(check_cppflags)
tests_kernels_t_pose_arrays_LDADD = libkern.a $(CMOCKA_LIBS) -lm

# How others use it; built by the test as a stranger would.
tap_scripts += tests/kernels/t_example.sh tests/kernels/t_gpu_check.sh
EXTRA_DIST += tests/kernels/example_pose.c
