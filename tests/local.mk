# Tests mirror the tree.  tap_programs are cmocka programs, tap_scripts shell or Python,
# tap_long scripts that take minutes (`make check-long`).  All of them speak TAP and are
# run by prove below tests/run-tests; tests/run-tap smooths cmocka's dialect.
tap_programs =
tap_scripts = tests/t_floors.sh tests/t_headers.sh tests/t_exports.sh tests/t_circles.sh \
	tests/t_runner.sh
tap_long = tests/long/flood.sh tests/long/fuzz.sh tests/long/overflow.sh \
	tests/long/polled.sh tests/long/queued.sh tests/long/turns.sh tests/long/pano-memory.py
check_cppflags = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)

# For tests/long/flood.sh and turns.sh: how long the loop is busy at a time.
check_PROGRAMS += tests/long/turns.so
tests_long_turns_so_SOURCES = tests/long/turns.c
tests_long_turns_so_CFLAGS = $(so_cflags)
tests_long_turns_so_LDFLAGS = $(AM_LDFLAGS) -shared
tests_long_turns_so_LDADD = -ldl

include tests/base/local.mk
include tests/rules/local.mk
include tests/queue/local.mk
include tests/intake/local.mk
include tests/work/local.mk
include tests/worker/local.mk
include tests/publish/local.mk
include tests/serve/local.mk
include tests/kernels/local.mk
include tests/formats/local.mk
include tests/plugins/local.mk
include tests/scenarios/local.mk
include tests/fuzz/local.mk
include tests/sweep/local.mk

# Without cmocka only the scripts are run, and check says so.
if HAVE_CMOCKA
check_PROGRAMS += $(tap_programs)
tap_built = $(tap_programs)
else
tap_built =
endif
dist_check_SCRIPTS += $(tap_scripts) $(tap_long)
EXTRA_DIST += tests/run-tests tests/run-tap tests/Tally.pm tests/allowed-skips \
	tests/tap.sh tests/scenarios/lib.sh \
	tests/scenarios/mounts.sh tests/scenarios/sidecar.py

run_tests = top_srcdir='$(abs_top_srcdir)' top_builddir='$(abs_top_builddir)' CC='$(CC)' \
	plugin_files='$(plugin_PROGRAMS)' $(abs_top_srcdir)/tests/run-tests

check-local:
if !HAVE_CMOCKA
	@echo 'without libcmocka-dev the unit tests are not built: only scripts run'
endif
	@$(run_tests) $(tap_built) $(tap_scripts)

# What check-local runs, without running it; and the parts of it, for CI.
# One make after the other: `all` is a make of its own, and the two would build the same
# objects at the same time.
check-programs: all
	@$(MAKE) $(AM_MAKEFLAGS) $(check_PROGRAMS) $(check_LIBRARIES)
check-unit: check-programs
	@$(run_tests) $(tap_built)
check-fuzz: check-programs
	@$(run_tests) tests/fuzz/run-fuzz.sh
check-long: check-programs
	@KILN_TEST_SECONDS=$${KILN_TEST_SECONDS:-7200} $(run_tests) $(tap_long)

installcheck-local:
	@top_srcdir='$(abs_top_srcdir)' CC='$(CC)' sbindir='$(DESTDIR)$(sbindir)' \
		bindir='$(DESTDIR)$(bindir)' libexecdir='$(DESTDIR)$(pkglibexecdir)' \
		plugindir='$(DESTDIR)$(plugindir)' includedir='$(DESTDIR)$(includedir)' \
		mandir='$(DESTDIR)$(mandir)' plugin_files='$(plugin_PROGRAMS)' \
		$(SHELL) $(srcdir)/tests/installcheck.sh
EXTRA_DIST += tests/installcheck.sh

# The checker is the bench: ns an element and GB/s of every variant.
bench: tests/kernels/checkkern$(EXEEXT)
	@tests/kernels/checkkern$(EXEEXT) --bench

clean-local:
	rm -rf tests/log tests/tally fuzz-out

# clang-format 14 is the arbiter of layout; another version has other opinions.
CLANG_FORMAT = clang-format-14
fmt-check:
	@cd $(srcdir) && files=`git ls-files '*.c' '*.h'` && test -n "$$files" && \
		$(CLANG_FORMAT) --dry-run -Werror $$files
.PHONY: check-programs check-unit check-fuzz check-long bench fmt-check
