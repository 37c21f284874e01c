/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * outputs.h - what an engine makes of a unit, while it grows in the stage.
 */
#ifndef KD_OUTPUTS_H
#define KD_OUTPUTS_H

#include "daemon/worker/batch.h"

struct kd_outputs_wish {
	const char *name; /* as the plugin gave it */
	int companion;
	int *fd; /* the file, or a negative errno for the engine */
};

/* A new output of the unit.  0 and *wish->fd; -EPROTO with a sentence where the contract of
 * create() forbids it, or what else keeps the keeper from going on. */
int kd_outputs_create(struct kd_batch *batch, struct kd_batch_unit *unit,
	const struct kd_outputs_wish *wish, struct kd_err *err);

/* The kernel said OK: the unit is DONE, or settled where its outputs are too large.  0, or
 * -EPROTO with a sentence where they are not whole and closed. */
int kd_outputs_accept(
	const struct kd_batch *batch, struct kd_batch_unit *unit, struct kd_err *err);

#endif
