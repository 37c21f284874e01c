# tests/sweep: faults at every system call of a run, and what a power cut leaves.
check_PROGRAMS += tests/sweep/fault
tests_sweep_fault_SOURCES = \
	tests/sweep/call.h tests/sweep/call.c tests/sweep/fault.c \
	tests/sweep/record.h tests/sweep/record.c tests/sweep/thread.h tests/sweep/thread.c
tests_sweep_fault_CPPFLAGS = $(AM_CPPFLAGS) $(SECCOMP_CFLAGS)
tests_sweep_fault_LDADD = $(SECCOMP_LIBS)

tap_long += \
	tests/long/kill-sweep.py tests/long/error-sweep.py tests/long/crash-sweep.py \
	tests/long/mutants.py
sweep_mutants = \
	tests/sweep/mutants/no-parent-fsync.patch \
	tests/sweep/mutants/inputs-before-ledger.patch \
	tests/sweep/mutants/sidecar-last.patch \
	tests/sweep/mutants/no-noreplace.patch \
	tests/sweep/mutants/fsync-again.patch \
	tests/sweep/mutants/state-before-publish.patch
EXTRA_DIST += tests/sweep/sweep.py tests/sweep/world.py tests/sweep/crash.py \
	$(sweep_mutants)
tap_scripts += tests/sweep/t_crash.sh tests/sweep/t_mutants.sh
