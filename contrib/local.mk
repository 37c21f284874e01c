# contrib

# Inputs for the demo, the tests and the benchmarks.
noinst_PROGRAMS += contrib/make-sample
contrib_make_sample_SOURCES = \
	contrib/make-sample.h contrib/make-sample.c \
	contrib/make-sample-body.c contrib/make-sample-bytes.c \
	contrib/make-sample-dances.c contrib/make-sample-pmx.c contrib/make-sample-vmd.c \
	contrib/make-sample-pano.c
contrib_make_sample_LDADD = $(libfmt_libs) -lm

EXTRA_DIST += contrib/plugin-template/README.md contrib/plugin-template/Makefile \
	contrib/plugin-template/shout.c
dist_noinst_SCRIPTS += contrib/bench-small contrib/bench-vmd contrib/bench-outside \
	contrib/bench-pano

# Figures for people, of the machine they were taken on; no test.
.PHONY: bench bench-small bench-vmd bench-outside bench-pano
bench: bench-small bench-vmd bench-outside bench-pano
bench-small: all contrib/make-sample$(EXEEXT)
	$(srcdir)/contrib/bench-small .
bench-vmd: all contrib/make-sample$(EXEEXT) tests/kernels/checkkern$(EXEEXT)
	$(srcdir)/contrib/bench-vmd .
bench-outside: all contrib/make-sample$(EXEEXT)
	$(srcdir)/contrib/bench-outside .
bench-pano: all
	$(srcdir)/contrib/bench-pano .

# For machines with a GPU and little else.
EXTRA_DIST += contrib/gpu-check contrib/gpu-peer.py contrib/gpu-bench.c \
	contrib/gpu-bench-pano.c contrib/gpu-speed.h contrib/gpu-speed.c
