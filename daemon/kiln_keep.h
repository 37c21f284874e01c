/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kiln_keep.h - how long the ledger remembers.
 */
#ifndef KD_KILN_KEEP_H
#define KD_KILN_KEEP_H

#include <stdint.h>

struct kd_kiln;

/* Forgets what is done with and was not touched for `older` seconds (queue/ledger.h says
 * what that is).  done may be NULL; it is called once, unless this returns an error. */
typedef void kd_kiln_pruned_fn(void *context, int rc, uint64_t forgotten);
int kd_kiln_prune(
	struct kd_kiln *kiln, double older, kd_kiln_pruned_fn *done, void *context);

/* Does it from now on as the configuration's `keep` says. */
void kd_kiln_begin_pruning(struct kd_kiln *kiln);

#endif
