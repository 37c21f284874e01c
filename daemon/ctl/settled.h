/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * settled.h - waits until what was dropped has come to its end.
 */
#ifndef KD_CTL_SETTLED_H
#define KD_CTL_SETTLED_H

#include "daemon/ctl/ctl.h"

#include <jansson.h>

struct kd_ctl_settled {
	const char *rule;
	const json_t *names; /* escaped, as they lie in the drop folder */
	double since;	     /* Unix seconds: units that were seen before are others */
};

/* Prints a line for each as it ends (not with --json), and adds it, as kilnd told it, to
 * units.  KD_CTL_FAILED when one failed, was cancelled or went away. */
int kd_ctl_settled(
	struct kd_ctl *ctl, const struct kd_ctl_settled *settled, json_t *units);
double kd_ctl_settled_now(void);

#endif
