/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * launch.h - starting and ending an engine: fork, confine, exec.
 */
#ifndef KD_LAUNCH_H
#define KD_LAUNCH_H

#include "daemon/base/err.h"
#include "daemon/base/wire.h"
#include "daemon/worker/sandbox.h"

#include <sys/types.h>

struct kd_engine_process {
	pid_t pid; /* 0: none */
	struct kd_wire *wire;
	int denied; /* where it tells of calls it was denied, see denied.h; -1: nowhere */
};

/* Starts this very program with --engine.  sandbox->keeper is set here.  Engines have no
 * descriptors to give: their links refuse them. */
int kd_launch_engine(struct kd_sandbox *sandbox, struct kd_engine_process *process,
	struct kd_err *err);

/* Kills it where it still lives, waits for it, closes its link.  The wait status; 0 when
 * there was none. */
int kd_launch_kill(struct kd_engine_process *process);

/* Waits for an engine that was told to quit, or has closed its link; kills it after
 * `patience` ms.  The wait status. */
int kd_launch_wait(struct kd_engine_process *process, int patience);

/* A wait status as words: "was killed by SIGSEGV", "exited with status 3". */
const char *kd_launch_describe(int status, char *buffer, size_t size);

#endif
