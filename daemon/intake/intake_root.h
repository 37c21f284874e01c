/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * intake_root.h - the drop folder of an intake: found, watched, waited for while it is
 * away, and found anew when another folder bears its name.  It says which state the intake
 * is in, and how long until somebody looks without a cause.  On the loop's thread.
 */
#ifndef KD_INTAKE_ROOT_H
#define KD_INTAKE_ROOT_H

#include "daemon/intake/intake.h"

/* Takes what bears the drop folder's name now for the drop folder: what was known of
 * another is forgotten, and all of this one scanned.  Where there is none, the intake
 * waits. */
void kd_intake_root_find(struct kd_intake *intake);

/* Finds it anew where the name no longer leads to the folder that is watched. */
void kd_intake_root_check(struct kd_intake *intake);

/* Scans all of it. */
void kd_intake_root_scan(struct kd_intake *intake);

/* Watches the folder open at dir, whose path from the drop folder is path.  0 also where a
 * limit of inotify is reached: that is counted, and the intake polls.  Otherwise as
 * kd_inotify_add(). */
int kd_intake_root_watch(struct kd_intake *intake, int dir, const char *path);

/* Lets go of the folder unless it is scanned or something settles in it: what is held open
 * keeps a file system from being unmounted. */
void kd_intake_root_release(struct kd_intake *intake);

/* why: a sentence, copied; "" when watching.  A change is logged and, once the intake is
 * built, told to its handler. */
void kd_intake_root_set_state(
	struct kd_intake *intake, enum kd_intake_state state, const char *why);

/* Sets the timer, as the state has it, for when the folder is looked for or scanned without
 * a cause. */
void kd_intake_root_wait(struct kd_intake *intake);

#endif
