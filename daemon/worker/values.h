/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * values.h - what the keeper sends as JSON, as the structs that plugins see.  In the
 * engine only.  A kd_values owns all that its params or batch point at.
 */
#ifndef KD_VALUES_H
#define KD_VALUES_H

#include "daemon/base/err.h"
#include "plugins/kiln_plugin.h"

#include <jansson.h>

struct kd_values;

/* The kernel's parameters from an object name -> value; absent and null mean unset. */
int kd_values_params(const struct kiln_kernel *kernel, const json_t *given,
	struct kd_values **values, struct kd_err *err);
const struct kiln_params *kd_values_get_params(const struct kd_values *values);

/* A batch from the body of PROCESS. */
int kd_values_batch(const json_t *body, struct kd_values **values, struct kd_err *err);
const struct kiln_batch *kd_values_get_batch(const struct kd_values *values);

void kd_values_free(struct kd_values *values); /* NULL is fine */

#endif
