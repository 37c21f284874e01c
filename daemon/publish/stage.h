/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stage.h - where a batch's outputs grow up: OUT/.kiln-stage/BATCH.PID.RANDOM/, 0700, on
 * the output's own file system, locked while its keeper lives.  A stage whose keeper is
 * gone is swept away by the next one that opens a stage here.
 */
#ifndef KD_STAGE_H
#define KD_STAGE_H

#include "daemon/base/err.h"

#include <stdint.h>

#define KD_STAGE_FOLDER ".kiln-stage"

struct kd_stage {
	int out;       /* the output folder */
	int top;       /* OUT/.kiln-stage */
	int dir;       /* this stage, locked */
	char name[64]; /* in top */
};

/* Makes out where it is missing.  Fill with KD_STAGE_NONE before; close also after a
 * failure. */
#define KD_STAGE_NONE ((struct kd_stage){-1, -1, -1, ""})
int kd_stage_open(
	struct kd_stage *stage, const char *out, int64_t batch, struct kd_err *err);

/*
 * What becomes a directory grows up in a folder of its unit's number.  Files lie in the
 * stage itself, as NUMBER~NAME: a folder for each would be made and removed with every
 * small unit, and some file systems (ext4) search long for the next new file where much
 * was removed a moment ago.
 */

/* The folder of unit number `unit`, emptied when it was there. */
int kd_stage_unit(const struct kd_stage *stage, uint32_t unit);
/* It, open.  A descriptor or a negative errno. */
int kd_stage_unit_open(const struct kd_stage *stage, uint32_t unit);

/* Where a unit's outputs lie: that folder, open, or the stage, which is the stage's own;
 * and an end to it. */
int kd_stage_outputs(const struct kd_stage *stage, uint32_t unit, int directory);
void kd_stage_outputs_close(const struct kd_stage *stage, int fd);

/* NUMBER~NAME, allocated; and what stands behind NUMBER~. */
char *kd_stage_name(uint32_t unit, const char *name);
const char *kd_stage_plain(const char *staged);

/* A new file in the stage itself, read-write. */
int kd_stage_create_file(const struct kd_stage *stage, const char *staged);

/* A new file in the unit's folder, read-write; sub-folders are made.  name is beneath. */
int kd_stage_create(const struct kd_stage *stage, uint32_t unit, const char *name);

/* An unnamed file, read-write. */
int kd_stage_scratch(const struct kd_stage *stage);

/* OUT/.kiln-stage/checkpoints/KEY, made when missing, read-write.  Those that nobody
 * touched for 30 days are swept away when a stage is opened. */
int kd_stage_checkpoint(const struct kd_stage *stage, const char *key);
void kd_stage_drop_checkpoint(const struct kd_stage *stage, const char *key);

/* Remembers that the ledger's unit `unit` is published, but not known to survive a power
 * cut; whether it is remembered; forgets it.  Only this machine's running kernel has lost
 * track, so this need not survive a power cut itself. */
void kd_stage_doubt(const struct kd_stage *stage, int64_t unit);
int kd_stage_is_doubted(const struct kd_stage *stage, int64_t unit);
void kd_stage_trust(const struct kd_stage *stage, int64_t unit);

/* Why nothing can be written to the stage's file system, as a predicate ("is full"); NULL
 * when nothing is known against it. */
const char *kd_stage_trouble(const struct kd_stage *stage);

/* Removes the stage. */
void kd_stage_close(struct kd_stage *stage);

#endif
