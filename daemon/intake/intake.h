/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * intake.h - one rule's drop folder: watched, scanned at first and after anything that
 * may have been missed, its drops settled and handed on.  A scan is the truth, events are
 * hints.  Lives on the loop's thread; a scan takes one folder's slice at a time.
 *
 * Where events do not tell of everything (root.h), or the limits of inotify are reached,
 * it is scanned every ten seconds as well; watches are tried again with every scan.
 */
#ifndef KD_INTAKE_H
#define KD_INTAKE_H

#include "daemon/intake/inotify.h"
#include "daemon/queue/unit.h"
#include "daemon/rules/rule.h"

enum kd_intake_state {
	KD_INTAKE_WATCHING,
	KD_INTAKE_POLLING, /* no events come from there, or no watch was to be had */
	KD_INTAKE_WAITING, /* the drop folder is not there, or cannot be read */
};

struct kd_intake;

struct kd_intake_handler {
	/* A drop has settled; unit is borrowed and has no id yet. */
	void (*settled)(void *context, const struct kd_unit *unit);
	/* The number of settling drops, or the state, became another; or a scan ended. */
	void (*changed)(void *context, struct kd_intake *intake);
	void *context;
};

/* Borrows rule, which must outlive it.  NULL when memory is out. */
struct kd_intake *kd_intake_new(struct ev_loop *loop, struct kd_inotify *inotify,
	const struct kd_rule *rule, const struct kd_intake_handler *handler);
void kd_intake_free(struct kd_intake *intake);

/* For so many more drops, beyond those that settle, there is room with the rule's backlog.
 * Without any, scans stand still and what events tell of is left for a scan; that comes
 * when at least half of the backlog is free. */
void kd_intake_set_room(struct kd_intake *intake, uint64_t room);
int kd_intake_is_full(const struct kd_intake *intake);

/* Looks at everything again. */
void kd_intake_rescan(struct kd_intake *intake);
/* Looks at what events, once they are delivered, have not told of: whether the drop
 * folder is there and still the same, and all of it where it is polled. */
void kd_intake_catch_up(struct kd_intake *intake);
/* Asks the kernel to prove that the folder is watched still, and looks at what it said the
 * last time: for a timer that comes anyway.  A watch that died is renewed and all of it
 * scanned; when that does not help, it is polled.  0: events lie there, and the loop does
 * not read them, which only another kilnd can mend. */
int kd_intake_prove(struct kd_intake *intake);
/* How many times a watch had died. */
uint64_t kd_intake_lost(const struct kd_intake *intake);
/* Looks at one path again: it was busy, or has changed. */
void kd_intake_touch(struct kd_intake *intake, const char *path);

const struct kd_rule *kd_intake_rule(const struct kd_intake *intake);
uint64_t kd_intake_settling(const struct kd_intake *intake);
int kd_intake_is_settling(const struct kd_intake *intake, const char *path);
/* Whether it is a sequence, or a frame of one, whose missing frames are waited for. */
int kd_intake_is_waited_for(const struct kd_intake *intake, const char *path);
/* How many sequences are; they do not settle. */
uint64_t kd_intake_waiting(const struct kd_intake *intake);
/* Whether no scan is under way: all that was there has been seen. */
int kd_intake_is_current(const struct kd_intake *intake);
/* *why: a sentence, or NULL when watching. */
enum kd_intake_state kd_intake_state(const struct kd_intake *intake, const char **why);

#endif
