/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hostile_lies.h - process() of the kernels of hostile.so that say what is not so,
 * or say it in a way that nobody understands.
 */
#ifndef TESTS_PLUGINS_HOSTILE_LIES_H
#define TESTS_PLUGINS_HOSTILE_LIES_H

#include "plugins/kiln_plugin.h"

int hostile_lies_twice(
	const struct kiln_host *host, void *state, const struct kiln_batch *batch);
int hostile_lies_range(
	const struct kiln_host *host, void *state, const struct kiln_batch *batch);
int hostile_lies_class(
	const struct kiln_host *host, void *state, const struct kiln_batch *batch);
int hostile_lies_empty(
	const struct kiln_host *host, void *state, const struct kiln_batch *batch);
int hostile_lies_open(
	const struct kiln_host *host, void *state, const struct kiln_batch *batch);
int hostile_lies_escape(
	const struct kiln_host *host, void *state, const struct kiln_batch *batch);
int hostile_lies_absolute(
	const struct kiln_host *host, void *state, const struct kiln_batch *batch);
int hostile_lies_stem(
	const struct kiln_host *host, void *state, const struct kiln_batch *batch);
int hostile_lies_sidecar(
	const struct kiln_host *host, void *state, const struct kiln_batch *batch);
int hostile_lies_no_verdict(
	const struct kiln_host *host, void *state, const struct kiln_batch *batch);
/* A whole frame of a type nobody knows, beside the host's own traffic. */
int hostile_lies_unknown_type(
	const struct kiln_host *host, void *state, const struct kiln_batch *batch);
int hostile_lies_garbage(
	const struct kiln_host *host, void *state, const struct kiln_batch *batch);

#endif
