# tests/worker: a small client of kiln-worker, and what it is asked to bear.
check_LIBRARIES += tests/worker/libclient.a
tests_worker_libclient_a_SOURCES = tests/worker/client.h tests/worker/client.c \
	tests/worker/scratch.h tests/worker/scratch.c
tests_worker_libclient_a_CPPFLAGS = $(check_cppflags) $(JANSSON_CFLAGS)
client_libs = tests/worker/libclient.a libkdpublish.a libkdmanifest.a $(base_libs) \
	$(CMOCKA_LIBS)

check_PROGRAMS += tests/plugins/hostile.so
tests_plugins_hostile_so_SOURCES = tests/plugins/hostile.c \
	tests/plugins/hostile_hands.h tests/plugins/hostile_hands.c \
	tests/plugins/hostile_greed.h tests/plugins/hostile_greed.c \
	tests/plugins/hostile_lies.h tests/plugins/hostile_lies.c \
	tests/plugins/hostile_spies.h tests/plugins/hostile_spies.c \
	tests/plugins/hostile_talk.h tests/plugins/hostile_talk.c
tests_plugins_hostile_so_CFLAGS = $(so_cflags)
tests_plugins_hostile_so_LDFLAGS = $(so_ldflags)

tap_programs += tests/worker/t_hostile
tests_worker_t_hostile_SOURCES = tests/worker/t_hostile.c
tests_worker_t_hostile_CPPFLAGS = $(check_cppflags) $(JANSSON_CFLAGS)
tests_worker_t_hostile_LDADD = $(client_libs)
tap_programs += tests/worker/t_units tests/worker/t_kill
tests_worker_t_units_SOURCES = tests/worker/t_units.c
tests_worker_t_units_CPPFLAGS = $(check_cppflags) $(JANSSON_CFLAGS)
tests_worker_t_units_LDADD = $(client_libs)
tests_worker_t_kill_SOURCES = tests/worker/t_kill.c
tests_worker_t_kill_CPPFLAGS = $(check_cppflags) $(JANSSON_CFLAGS)
tests_worker_t_kill_LDADD = $(client_libs)
tap_programs += tests/worker/t_ahead
tests_worker_t_ahead_SOURCES = tests/worker/t_ahead.c
tests_worker_t_ahead_CPPFLAGS = $(check_cppflags) $(JANSSON_CFLAGS)
tests_worker_t_ahead_LDADD = $(client_libs)
tap_programs += tests/worker/t_aside
tests_worker_t_aside_SOURCES = tests/worker/t_aside.c daemon/worker/aside.c
tests_worker_t_aside_CPPFLAGS = $(check_cppflags) $(JANSSON_CFLAGS)
tests_worker_t_aside_LDADD = $(client_libs) -lpthread
tap_programs += tests/worker/t_gate
tests_worker_t_gate_SOURCES = tests/worker/t_gate.c daemon/worker/gate.c \
	daemon/worker/gate_check.c daemon/worker/gate_elf.c
tap_programs += tests/worker/t_gate_check
tests_worker_t_gate_check_SOURCES = tests/worker/t_gate_check.c daemon/worker/gate_check.c
tests_worker_t_gate_check_CPPFLAGS = $(check_cppflags) $(JANSSON_CFLAGS)
tests_worker_t_gate_check_LDADD = $(base_libs) $(CMOCKA_LIBS)
tests_worker_t_gate_CPPFLAGS = $(check_cppflags) $(JANSSON_CFLAGS)
tests_worker_t_gate_LDADD = $(client_libs)
tap_programs += tests/worker/t_custody
tests_worker_t_custody_SOURCES = tests/worker/t_custody.c \
	daemon/worker/claim.c daemon/worker/family.c
tests_worker_t_custody_CPPFLAGS = $(check_cppflags) $(JANSSON_CFLAGS)
tests_worker_t_custody_LDADD = $(client_libs)
tap_programs += tests/worker/t_families
tests_worker_t_families_SOURCES = tests/worker/t_families.c
tests_worker_t_families_CPPFLAGS = $(check_cppflags) $(JANSSON_CFLAGS)
tests_worker_t_families_LDADD = $(client_libs)
tap_scripts += tests/worker/t_archives.py
