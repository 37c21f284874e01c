/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * families.h - the drops of a rule whose units are several files each: sequences and
 * bundles.  Every file that is seen makes its family a candidate; when a family has been
 * quiet, the folder is read once and says what units are there, and whether they are
 * whole.  A file that comes late makes its family a candidate again.
 */
#ifndef KD_FAMILIES_H
#define KD_FAMILIES_H

#include "daemon/intake/root.h"
#include "daemon/intake/settle.h"
#include "daemon/rules/rule.h"

struct kd_families;

struct kd_families_handler {
	/* A unit is whole, or is to be refused: path is its name beneath the root,
	 * "shot/frame_%04d.png" or "chair.obj". */
	void (*settled)(void *context, const char *path, const struct kd_look *look);
	/* There has been a look, or the number of candidates became another. */
	void (*counted)(void *context);
	void *context;
};

/* Borrows rule, and root, the drop folder, which is opened for each look and left open.
 * NULL when memory is out. */
struct kd_families *kd_families_new(struct ev_loop *loop, const struct kd_rule *rule,
	struct kd_root *root, const struct kd_families_handler *handler);
void kd_families_free(struct kd_families *families);

/* A file was seen: touched, something happened to it just now.  0 or -ENOMEM. */
int kd_families_see(struct kd_families *families, const char *path, int touched);
/* Looks at a unit again, by the path it was given.  0 or -ENOMEM. */
int kd_families_touch(struct kd_families *families, const char *path);

/* Whether the family of that path is a candidate: a unit's, or one of its files'. */
int kd_families_has(const struct kd_families *families, const char *path);
/* Whether it has been quiet, and is waited for because frames are missing. */
int kd_families_waits(const struct kd_families *families, const char *path);
/* How many are. */
uint64_t kd_families_waiting(const struct kd_families *families);

/* Leaves off a look that is under way, and holds nothing open: the root is another. */
void kd_families_stop(struct kd_families *families);

/* Candidates that have not been quiet for long enough. */
uint64_t kd_families_count(const struct kd_families *families);

#endif
