# Tests mirror the tree.  tap_programs are cmocka programs, tap_scripts shell or Python;
# all of them speak TAP and are run by prove (tests/run-tap smooths cmocka's dialect).
tap_programs =
tap_scripts =
check_cppflags = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)

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

check_PROGRAMS += $(tap_programs)
dist_check_SCRIPTS += $(tap_scripts)
