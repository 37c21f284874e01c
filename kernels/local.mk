# Arithmetic only.  A variant is a file of its own; its flags belong to a set of its own.
noinst_LIBRARIES += libkern.a
libkern_a_CFLAGS = $(so_cflags) -ffp-contract=off
libkern_a_SOURCES = \
	kernels/caps.h kernels/trig.h kernels/quat.h \
	kernels/curve.h kernels/curve.c \
	kernels/track.h kernels/track.c \
	kernels/morph.h kernels/morph.c \
	kernels/pose.h kernels/pose_state.h kernels/pose.c \
	kernels/ik.h kernels/ik.c
