# kiln-worker: the keeper (trusted) and the engine (confined), and what goes between.
noinst_LIBRARIES += libkdmanifest.a libkdworker.a
# The clients' side links this one too.
libkdmanifest_a_SOURCES = \
	daemon/worker/manifest.h daemon/worker/manifest.c daemon/worker/manifest_result.c \
	daemon/worker/manifest_fields.h daemon/worker/manifest_fields.c
libkdmanifest_a_CPPFLAGS = $(AM_CPPFLAGS) $(JANSSON_CFLAGS)
# A keeper, but for what starts engines: tests/fuzz has an engine of its own.
worker_keeper_sources = \
	daemon/worker/protocol.h \
	daemon/worker/aside.h daemon/worker/aside.c \
	daemon/worker/attempt.h daemon/worker/attempt.c \
	daemon/worker/batch.h daemon/worker/batch.c \
	daemon/worker/batch_run.h daemon/worker/batch_run.c \
	daemon/worker/broker.h daemon/worker/broker.c \
	daemon/worker/claim.h daemon/worker/claim.c \
	daemon/worker/content.h daemon/worker/content.c \
	daemon/worker/content_list.h daemon/worker/content_list.c \
	daemon/worker/custody.h daemon/worker/custody.c \
	daemon/worker/denied.h daemon/worker/denied.c \
	daemon/worker/disposal.h daemon/worker/disposal.c \
	daemon/worker/family.h daemon/worker/family.c \
	daemon/worker/gate.h daemon/worker/gate.c \
	daemon/worker/gate_check.h daemon/worker/gate_check.c \
	daemon/worker/gate_elf.h daemon/worker/gate_elf.c \
	daemon/worker/handle.h daemon/worker/handle.c \
	daemon/worker/identity.h daemon/worker/identity.c \
	daemon/worker/keeper.h daemon/worker/keeper.c \
	daemon/worker/lineup.h daemon/worker/lineup.c \
	daemon/worker/link.h daemon/worker/link.c \
	daemon/worker/outputs.h daemon/worker/outputs.c \
	daemon/worker/place.h daemon/worker/place.c \
	daemon/worker/spent.h daemon/worker/spent.c \
	daemon/worker/told.h daemon/worker/told.c \
	daemon/worker/unpack_keeper.h daemon/worker/unpack_keeper.c \
	daemon/worker/unpack_name.h daemon/worker/unpack_name.c
libkdworker_a_SOURCES = $(worker_keeper_sources) \
	daemon/worker/describe.h daemon/worker/describe.c \
	daemon/worker/drop.h daemon/worker/drop.c \
	daemon/worker/engine.h daemon/worker/engine.c \
	daemon/worker/host.h daemon/worker/host.c \
	daemon/worker/inspect.h daemon/worker/inspect.c \
	daemon/worker/launch.h daemon/worker/launch.c \
	daemon/worker/sandbox.h daemon/worker/sandbox.c \
	daemon/worker/sanitized.h \
	daemon/worker/syscalls.h daemon/worker/syscalls.c \
	daemon/worker/unpack.h daemon/worker/unpack.c \
	daemon/worker/unpack_engine.h daemon/worker/unpack_engine.c \
	daemon/worker/unpack_library.h daemon/worker/unpack_library.c \
	daemon/worker/values.h daemon/worker/values.c
libkdworker_a_CPPFLAGS = $(AM_CPPFLAGS) $(JANSSON_CFLAGS) $(SECCOMP_CFLAGS) \
	$(ARCHIVE_CFLAGS)
worker_libs = libkdworker.a libkdpublish.a libkdmanifest.a $(base_libs) $(SECCOMP_LIBS) \
	-ldl -lpthread

pkglibexec_PROGRAMS += kiln-worker
kiln_worker_SOURCES = daemon/kiln-worker.c
kiln_worker_CPPFLAGS = $(AM_CPPFLAGS) $(JANSSON_CFLAGS)
kiln_worker_LDADD = $(worker_libs)
