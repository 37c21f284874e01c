/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * spent.h - what an engine has on disk before its units are done: outputs, and the unnamed
 * files that the keeper gave it.  RLIMIT_FSIZE bounds each of them, this their sum.
 */
#ifndef KD_SPENT_H
#define KD_SPENT_H

#include "daemon/worker/batch.h"

/* Counts a scratch file or a checkpoint in for as long as the engine has it open; fd stays
 * the caller's.  -EMFILE: it has too many open. */
int kd_spent_note(struct kd_batch *batch, int fd);

/* Begins to watch the stage's file system. */
void kd_spent_begin(struct kd_batch *batch);
/* Whether more is stored than the manifest's output limit allows; looks at every file only
 * when the file system has lost so much since the beginning. */
int kd_spent_is_over(struct kd_batch *batch);

void kd_spent_clear(struct kd_batch *batch);

#endif
