# Arithmetic only.  A variant's flags belong to its set; see below for how a set is added.
noinst_LIBRARIES += libkern.a
libkern_a_CFLAGS = $(so_cflags) -ffp-contract=off
libkern_a_SOURCES =
