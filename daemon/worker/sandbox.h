/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sandbox.h - what confines an engine, in three steps, each narrower than the last:
 *
 *   before exec   limits, no new privileges, dies with its keeper; Landlock leaves only
 *                 system libraries, the worker and the plugin to read and execute
 *   before dlopen seccomp: no sockets, processes, signals to others, tracing
 *   after dlopen  Landlock without any path, seccomp without any open, and no new
 *                 executable memory
 *
 * What a hostile plugin can still do: burn its CPU and memory up to its limits, write
 * nonsense into its own outputs, and learn by stat(2) which paths exist.
 *
 * A kernel that lacks Landlock or offers an old one confines less; that is reported, not
 * refused.  A build with sanitizers leaves their run time what it needs.
 */
#ifndef KD_SANDBOX_H
#define KD_SANDBOX_H

#include "daemon/base/err.h"

#include <stdint.h>
#include <sys/types.h>

struct kd_sandbox {
	uint64_t memory_limit, output_limit; /* bytes; 0: none */
	uint32_t needs;			     /* granted, set of enum kiln_needs */
	pid_t keeper;			     /* dies with it; 0: with nobody */
	int plugin;			     /* descriptor of the plugin's file */
	int unpack; /* it is an archive instead, and the engine is to unpack it */
};

/* In the child, before exec.  0; 1: Landlock is not to be had here; negative errno. */
int kd_sandbox_enter(const struct kd_sandbox *sandbox);

/* In the engine, before and after dlopen.  Cannot be undone.  denied: where the numbers of
 * calls go that no honest kernel makes (denied.h); -1: nowhere. */
int kd_sandbox_narrow(uint32_t needs, int denied, struct kd_err *err);
int kd_sandbox_close(uint32_t needs, struct kd_err *err);

#endif
