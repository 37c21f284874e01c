/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * gate.h - which plugins come in.  The keeper judges the file, the engine what it
 * exports; both before any function of the plugin runs.
 */
#ifndef KD_GATE_H
#define KD_GATE_H

#include "daemon/base/err.h"
#include "plugins/kiln_plugin.h"

/*
 * Opens a plugin's file for reading.  The file and every folder above it must belong to
 * root or to the process's own user and be writable by nobody else.  One exception: a
 * folder of root's with the sticky bit (/tmp) may be writable by all, because the next
 * component is ours or root's by the same rule, and nobody else can rename that away.
 * The descriptor, or a negative errno with a sentence.
 */
int kd_gate_open(const char *path, struct kd_err *err);

/* Loads the plugin open at fd and checks magic, ABI, sizes and names.  *plugin lives as
 * long as the process: a plugin is never unloaded. */
int kd_gate_load(int fd, const struct kiln_plugin **plugin, struct kd_err *err);

/* The plugin's kernel of that name; NULL when it has none. */
const struct kiln_kernel *kd_gate_kernel(
	const struct kiln_plugin *plugin, const char *name);

#endif
