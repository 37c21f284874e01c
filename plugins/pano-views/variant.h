/* SPDX-License-Identifier: BSD-2-Clause */
/* variant.h - which variant of the primitives this machine runs. */
#ifndef PV_VARIANT_H
#define PV_VARIANT_H

#include "kernels/remap.h"
#include "plugins/kiln_plugin.h"

/* The fastest that agrees with the plain C on a small case, whose *name the host is told;
 * else the plain C, with a warning in the log. */
kern_remap_fn *pv_variant_choose(const struct kiln_host *host,
	enum kern_remap_filter filter, const struct kern_remap_weights *weights,
	const char **name);

#endif
