/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * inputs.h - what becomes of a unit's input once the ledger knows its outcome.  The
 * caller has made sure that it still is what was processed.
 *
 * All of these are safe to repeat after a crash: an input that is gone is finished.
 * Nothing is ever overwritten: a taken name becomes NAME.2.EXT.  Across file systems the
 * input is copied, fsynced, renamed into place and only then removed; it is removed by a
 * rename to a hidden name first, so that a crash leaves no half a directory to be found.
 */
#ifndef KD_INPUTS_H
#define KD_INPUTS_H

#include "daemon/base/err.h"

#include <stdint.h>
#include <sys/types.h>

/* Folders that gained or lost a name, to be fsynced once for many inputs. */
enum { KD_INPUTS_FOLDERS = 64 };
struct kd_inputs_unsynced {
	struct {
		dev_t device;
		ino_t inode;
		int fd, gained;
	} folders[KD_INPUTS_FOLDERS];
	uint32_t count;
	int failed; /* what one that had to go first ended with */
};

/* fsyncs those that gained names, then the others: a power cut may show an input in both
 * places, never in neither.  0, or the first that failed; *unsynced is empty afterwards. */
int kd_inputs_sync(struct kd_inputs_unsynced *unsynced);

/* What is disposed of, both paths beneath root. */
struct kd_input {
	int root;
	const char *place; /* where it lies: a file or a folder */
	const char *path;  /* what it is called, and where it goes below a folder */
	struct kd_inputs_unsynced *unsynced; /* NULL: its folders are fsynced at once */
};

int kd_inputs_move(const struct kd_input *input, const char *folder, struct kd_err *err);
int kd_inputs_delete(const struct kd_input *input, struct kd_err *err);

/* One rename to `target` in folder `to`, or the first free version of that name. */
int kd_inputs_rename(int from, const char *name, int to, const char *target);

/* The input is gone: removes what a removal that a crash cut off left of it under its
 * hidden name. */
int kd_inputs_tidy(const struct kd_input *input, struct kd_err *err);

/* Moves it likewise, with NAME.EXT.reason.txt beside it, which is written first. */
struct kd_quarantine {
	const char *folder;
	const char *status, *reason; /* a word and a sentence */
	const char *rule, *kernel, *sha256;
	int64_t unit, batch;
	uint32_t attempt;
};
int kd_inputs_quarantine(const struct kd_input *input,
	const struct kd_quarantine *quarantine, struct kd_err *err);

/* The way back: finds the unit of that number in quarantine by its reason file, puts it
 * where it was dropped and removes the reason.  0 as well when it is not there, or when
 * its place is taken: then nothing is touched. */
int kd_inputs_restore(
	int root, const char *path, const char *folder, int64_t unit, struct kd_err *err);

#endif
