/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * finish.h - staged files on their way to durability: mode, group, hash, sidecar, fsync.
 *
 * An fsync waits until the disk has emptied its cache, and where there is a journal, until
 * that is committed; those that wait at the same time wait for the same.  So files are
 * collected, outputs and sidecars of all units of a batch; the disk begins to write all of
 * them, while they are hashed and sidecars are made, before the first fsync, and then
 * they are fsynced side by side.
 */
#ifndef KD_FINISH_H
#define KD_FINISH_H

#include "daemon/publish/publish_unit.h"
#include "daemon/publish/stage.h"
#include "daemon/publish/slot.h"

/* Descriptors that are kept open until they are fsynced. */
#define KD_FINISH_MOST 128

/* A file that is written, but not known to be durable. */
struct kd_finish_file {
	int fd, error;
	struct kd_publish_unit *unit;
	struct kd_output *output; /* of the unit; NULL: its sidecar */
	int unhashed, hash_error; /* output->sha256 is still to be filled in */
	char sha256[KD_HASH_HEX]; /* of that sidecar */
};

/* All zero but for the first three. */
struct kd_finish {
	const struct kd_stage *stage;
	mode_t mode;
	gid_t group; /* (gid_t)-1: leave */
	struct kd_finish_file files[KD_FINISH_MOST];
	size_t count;
};

/* Mode, group and hash of all that the unit made; hashed after
 * kd_finish_hash(), which must come before the unit's sidecar is written, and durable
 * after kd_finish_sync(), which must come before its outputs are moved.  A unit that
 * cannot be finished is HELD. */
void kd_finish_outputs(struct kd_finish *finish, struct kd_publish_unit *unit);

/* Hashes what is still to be hashed; the disk begins to write. */
void kd_finish_hash(struct kd_finish *finish);

/* Writes the sidecar for that slot: inside the directory, or beside in the stage; durable
 * like outputs are.  Of a directory everything is durable at once.  0 or -errno. */
int kd_finish_sidecar(struct kd_finish *finish, struct kd_publish_unit *unit,
	const struct kd_slot *slot);

/* Each of them is fsynced once; where that fails, a new file takes its place (restage.h),
 * and where that fails too, its unit is HELD. */
void kd_finish_sync(struct kd_finish *finish);

#endif
