/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hostile_spies.h - process() of the kernels of hostile.so that reach for what is not
 * theirs: files, processes, memory, system calls.
 */
#ifndef TESTS_PLUGINS_HOSTILE_SPIES_H
#define TESTS_PLUGINS_HOSTILE_SPIES_H

#include "plugins/kiln_plugin.h"

/* The places that are worth something, below FOLDER/: kilnd's own state and others'
 * drops.  The name of the unit's only input says where that is, with '+' for '/'. */
int hostile_spies_burglar(
	const struct kiln_host *host, void *state, const struct kiln_batch *batch);
/* Others' processes, and ways out of its own. */
int hostile_spies_stalker(
	const struct kiln_host *host, void *state, const struct kiln_batch *batch);
/* Dies after what it should not have tried. */
int hostile_spies_trespass(
	const struct kiln_host *host, void *state, const struct kiln_batch *batch);
/* Wants no answer, or one of its own, when it is denied. */
int hostile_spies_stubborn(
	const struct kiln_host *host, void *state, const struct kiln_batch *batch);
/* Memory that RLIMIT_DATA does not see. */
int hostile_spies_sharer(
	const struct kiln_host *host, void *state, const struct kiln_batch *batch);
/* Tries what no engine may, and tells how each ended. */
int hostile_spies_spy(
	const struct kiln_host *host, void *state, const struct kiln_batch *batch);

#endif
