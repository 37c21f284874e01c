/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kiln.h - the journey of a drop, wired: intake, queue, work and publishing by workers,
 * and the faces.  Everything here lives on the loop's thread.
 */
#ifndef KD_KILN_H
#define KD_KILN_H

#include "daemon/base/err.h"

#include <ev.h>

struct kd_kiln;

struct kd_kiln_options {
	const char *file;  /* kiln.toml */
	const char *state; /* NULL: as the file says */
};

/* Loads the configuration, recovers the ledger, listens, watches, and tells systemd that
 * it is ready.  The caller runs the loop. */
int kd_kiln_new(struct ev_loop *loop, const struct kd_kiln_options *options,
	struct kd_kiln **kiln, struct kd_err *err);
void kd_kiln_free(struct kd_kiln *kiln);

/* Loads the configuration anew, off the loop; a bad one is logged and changes nothing. */
void kd_kiln_reload(struct kd_kiln *kiln);

/* Takes no new work, lets what runs come to its end for a while, then breaks the loop. */
void kd_kiln_stop(struct kd_kiln *kiln);

#endif
