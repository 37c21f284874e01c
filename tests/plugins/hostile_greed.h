/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hostile_greed.h - process() of the kernels of hostile.so that take more than there
 * is: memory, descriptors, room on the disk.
 */
#ifndef TESTS_PLUGINS_HOSTILE_GREED_H
#define TESTS_PLUGINS_HOSTILE_GREED_H

#include "plugins/kiln_plugin.h"

/* Past the limit in one file, or (units behind the first) in several. */
int hostile_greed_output(
	const struct kiln_host *host, void *state, const struct kiln_batch *batch);
/* All the memory there is, touched. */
int hostile_greed_memory(
	const struct kiln_host *host, void *state, const struct kiln_batch *batch);
/* As many descriptors as it can have, then its work all the same. */
int hostile_greed_descriptors(
	const struct kiln_host *host, void *state, const struct kiln_batch *batch);
/* Outputs without end, each below the limit of one file; or scratch files. */
int hostile_greed_outputs(
	const struct kiln_host *host, void *state, const struct kiln_batch *batch);
int hostile_greed_scratch(
	const struct kiln_host *host, void *state, const struct kiln_batch *batch);

#endif
