/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * describe.h - asks `kiln-worker --describe FILE.so` what a plugin is, in a process that
 * cannot hold or flood the one that asks.
 */
#ifndef KD_DESCRIBE_H
#define KD_DESCRIBE_H

#include "daemon/base/err.h"

#include <jansson.h>

/* What a plugin's description may be at most, and how long it may take to make. */
#define KD_DESCRIBE_BYTES   (1u << 20)
#define KD_DESCRIBE_SECONDS 10.0

struct kd_describe {
	const char *worker, *plugin; /* absolute paths */
	double seconds;		     /* killed after */
};

/* Blocks until the worker ends.  0 and *json (the caller decrefs); -EINVAL with the
 * worker's own reason when it refuses the plugin or prints no JSON; -ETIMEDOUT, -EFBIG,
 * or what starting the worker gave. */
int kd_describe_run(
	const struct kd_describe *describe, json_t **json, struct kd_err *err);

#endif
