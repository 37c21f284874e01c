/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * quarantine.h - units that failed: out of the drop folder, with a file beside each that
 * says why, and back again when somebody has it tried once more.  Both are safe to repeat
 * after a crash, and nothing is ever overwritten.
 */
#ifndef KD_QUARANTINE_H
#define KD_QUARANTINE_H

#include "daemon/publish/transfer.h"

/* Moves the input below the folder, a taken name as NAME.2.EXT, with NAME.EXT.reason.txt
 * beside it, which is written first. */
struct kd_quarantine {
	const char *folder;
	const char *status, *reason; /* a word and a sentence */
	const char *rule, *kernel, *sha256;
	int64_t unit, batch;
	uint32_t attempt;
};
int kd_quarantine_put(const struct kd_input *input,
	const struct kd_quarantine *quarantine, struct kd_err *err);

/*
 * The way back: finds the unit of that number by its reason file, puts it in its place by
 * one rename and removes the reason.  1, or 0 when it is not there or its place is taken:
 * then nothing is touched, but for the reason of one that is back already.
 */
struct kd_quarantine_fetch {
	int root;
	const char *path;  /* what it was called when it was put away */
	const char *place; /* beneath root, where it goes to */
	/* A path beneath root, in whose folder none of the names may be taken that the
	 * unit's own folder holds: a sequence's or bundle's; else NULL. */
	const char *members;
	const char *folder;
	int64_t unit;
};
int kd_quarantine_fetch(const struct kd_quarantine_fetch *fetch, struct kd_err *err);

#endif
