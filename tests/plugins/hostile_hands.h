/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hostile_hands.h - what the kernels of hostile.so do between their misdeeds.
 */
#ifndef TESTS_PLUGINS_HOSTILE_HANDS_H
#define TESTS_PLUGINS_HOSTILE_HANDS_H

#include "plugins/kiln_plugin.h"

/* The descriptor of the link to the keeper. */
enum { HOSTILE_LINK = 3 };

/* A hundredth of a second. */
void hostile_nap(void);

/* A primary output, named by the unit's stem and `rest`, that holds "output\n"; its
 * descriptor stays open.  Negative when there is none. */
int hostile_make(const struct kiln_host *host, const struct kiln_batch *batch, uint32_t i,
	const char *rest);

/* Does a unit's work as it should be done, under its stem and ".out". */
void hostile_finish(
	const struct kiln_host *host, const struct kiln_batch *batch, uint32_t i);

/* Dies of SIGSEGV. */
int hostile_crash(void);

#endif
