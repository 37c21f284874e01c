/* SPDX-License-Identifier: BSD-2-Clause */
/* variant.h - which variant of the primitives this machine runs. */
#ifndef PV_VARIANT_H
#define PV_VARIANT_H

#include "kernels/remap.h"
#include "kernels/supersample.h"
#include "kernels/view.h"
#include "plugins/kiln_plugin.h"

struct pv_variant {
	const char *name;
	kern_remap_fn *remap;
	kern_view_fn *places;
	kern_supersample_fn *mean;
};

/* The fastest that agree with the plain C on small cases, whose name the host is told; else
 * the plain C, with a warning in the log. */
struct pv_variant pv_variant_choose(const struct kiln_host *host,
	enum kern_remap_filter filter, const struct kern_remap_weights *weights);

#endif
