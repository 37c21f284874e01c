/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * claim.h - units that are taken out of the drop folder while they are worked on, so that
 * nobody can exchange them any more: into ROOT/.kiln-claim/, 0700, on their own file
 * system, under ID~NAME; a sequence or bundle as a folder of that name with its files.
 *
 * A claim that a crash left is found by its unit's id and taken up again.  Nothing is
 * overwritten when a unit is put back: a name taken meanwhile makes it NAME.2.EXT.
 */
#ifndef KD_CLAIM_H
#define KD_CLAIM_H

#include "daemon/base/err.h"
#include "daemon/worker/content.h"

#include <limits.h>

#define KD_CLAIM_FOLDER ".kiln-claim"

struct kd_claim {
	int held;
	int ready; /* its folder in there is known to be durable */
	char entry[NAME_MAX +
		   1];	      /* its name in the claim folder, also before it is there */
	char place[PATH_MAX]; /* held: where it lies now, beneath the root, as
				     kd_content_source has it */
};

/* Looks for what an earlier attempt left; original is where the unit was dropped.  A
 * sequence or bundle that was claimed in part is claimed whole.  0, held or not; or a
 * negative errno: nobody can say where the unit lies, try again later. */
int kd_claim_find(
	struct kd_claim *claim, int64_t id, const struct kd_content_source *original);

/* Where the unit's entry lies in the claim folder, or would, beneath the root: the file, or
 * the folder of a sequence or bundle.  For a claim that kd_claim_find() has seen. */
void kd_claim_path(const struct kd_claim *claim, char path[PATH_MAX]);

/* 0; -ENOENT: it is gone; -EXDEV, -EROFS, -EACCES and the like: it cannot be claimed and
 * lies where it lay. */
int kd_claim_take(struct kd_claim *claim, const struct kd_content_source *original);
/* Makes the claim folder, for a unit that comes from elsewhere to be put into under
 * claim->entry; with a claim, a sequence's or bundle's, its folder in there as well, which
 * kd_claim_sync() makes durable before it is taken.  Errors as above. */
int kd_claim_prepare(int root, const struct kd_claim *claim);
/* Makes all claims durable; once a batch. */
int kd_claim_sync(int root);

/* Removes the claim folder when nothing is left in it but remains of what was removed. */
void kd_claim_tidy(int root);

/* Back to where it was dropped.  0, also when it is not held. */
int kd_claim_put_back(struct kd_claim *claim, const struct kd_content_source *original,
	struct kd_err *err);

#endif
