/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hostile_talk.h - process() of the kernels of hostile.so that misuse the link to their
 * keeper in ways that are right to the letter.
 */
#ifndef TESTS_PLUGINS_HOSTILE_TALK_H
#define TESTS_PLUGINS_HOSTILE_TALK_H

#include "plugins/kiln_plugin.h"

/* Asks for ever and never reads an answer. */
int hostile_talk_deaf(
	const struct kiln_host *host, void *state, const struct kiln_batch *batch);
/* Tells facts until nobody could hold them. */
int hostile_talk_chatter(
	const struct kiln_host *host, void *state, const struct kiln_batch *batch);
/* Presses a descriptor on its keeper. */
int hostile_talk_gift(
	const struct kiln_host *host, void *state, const struct kiln_batch *batch);

#endif
