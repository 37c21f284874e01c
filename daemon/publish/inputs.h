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

#include "daemon/publish/transfer.h"

int kd_inputs_move(const struct kd_input *input, const char *folder, struct kd_err *err);
int kd_inputs_delete(const struct kd_input *input, struct kd_err *err);

/* One rename to `target` in folder `to`, or the first free version of that name. */
int kd_inputs_rename(int from, const char *name, int to, const char *target);

/* The input is gone: removes what a removal that a crash cut off left of it under its
 * hidden name. */
int kd_inputs_tidy(const struct kd_input *input, struct kd_err *err);

#endif
