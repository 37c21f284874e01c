/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * place.h - where the input of a unit lies: where it was dropped, or in the claim folder
 * beneath the same root.  Shared by what takes inputs (custody.h) and what lets go of them
 * (disposal.h); on the keeper's one thread.
 */
#ifndef KD_PLACE_H
#define KD_PLACE_H

#include "daemon/worker/batch.h"

#include <limits.h>

/* Opens the folder in which the units lie, unless it is open; batch->root then holds it,
 * and so do the sources of all units.  0 or a negative errno. */
int kd_place_open_root(struct kd_batch *batch, struct kd_err *err);

/* Looks whether an earlier attempt left the unit in a claim.  One that the rule may not
 * move, or may no longer, is put back; one that cannot be looked for is settled as held. */
void kd_place_find(struct kd_batch *batch, struct kd_batch_unit *unit);

/* After the claim was taken or given up: it is read where the claim says. */
void kd_place_follow(struct kd_batch_unit *unit);

/* From its claim to where it was dropped.  What cannot be put back stays in the claim,
 * where the next attempt finds it; that is logged. */
void kd_place_put_back(struct kd_batch_unit *unit);

/* Whether it is many files that are claimed and moved as one: a sequence or a bundle. */
int kd_place_is_family(const struct kd_batch_unit *unit);

/* Where such a one goes as a whole, from the root: a folder of its stem, for its files
 * would meet others one by one.  0 or -ENAMETOOLONG. */
int kd_place_of_family(const struct kd_batch_unit *unit, char path[PATH_MAX]);

#endif
