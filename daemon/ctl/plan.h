/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * plan.h - from the arguments of `kilnctl run` to a manifest.
 */
#ifndef KD_CTL_PLAN_H
#define KD_CTL_PLAN_H

#include "daemon/base/err.h"
#include "daemon/rules/catalog.h"
#include "daemon/worker/manifest.h"

#include <jansson.h>

struct kd_ctl_input {
	char *name;   /* last component of what was given, as bytes */
	char *path;   /* absolute, without links; as given when there is nothing */
	char *reason; /* why it cannot run; NULL: it does */
	enum kd_status status; /* with a reason */
	int64_t unit;	       /* its index in the manifest; -1 with a reason */
};

struct kd_ctl_plan {
	struct kd_manifest manifest;
	uint32_t input_count;
	struct kd_ctl_input *inputs;
};

struct kd_ctl_wish {
	const struct kd_kernel *kernel;
	json_t *params;	    /* checked and full; borrowed */
	const char *device; /* "auto", "cpu", "cuda", "cuda:N" */
	const char *out;    /* made when it is not there */
	uint32_t threads, repeat;
	enum kd_collision collision;
	char *const *inputs;
	uint32_t input_count;
};

/* An input that is missing, or of a kind the kernel does not take, is refused alone: its
 * reason says why.  -EINVAL (wrong use) or another error concerns all. */
int kd_ctl_plan_make(
	const struct kd_ctl_wish *wish, struct kd_ctl_plan *plan, struct kd_err *err);
void kd_ctl_plan_clear(struct kd_ctl_plan *plan);

#endif
