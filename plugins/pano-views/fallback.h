/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fallback.h - views that a GPU was asked for and that the CPU makes: whoever makes them,
 * it is told once for a unit.
 */
#ifndef PV_FALLBACK_H
#define PV_FALLBACK_H

#include "plugins/kiln_plugin.h"

#include <stdatomic.h>

/* Zero at first. */
struct pv_fallback {
	atomic_int told;
};

/* Warns of why. */
void pv_fallback_tell(struct pv_fallback *fallback, const struct kiln_host *host,
	uint32_t unit, const char *why);
/* Whether it came to that. */
int pv_fallback_told(struct pv_fallback *fallback);

#endif
