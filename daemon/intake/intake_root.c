/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/intake/intake_root.h"

#include "daemon/base/log.h"
#include "daemon/base/name.h"
#include "daemon/intake/intake_parts.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double CHECK = 2;	   /* seconds between looks for a root that is away */
static const double POLL = 10;	   /* between scans where events do not tell of all */
static const double SAFETY = 3600; /* between scans elsewhere, should a watch have died */

void
kd_intake_root_wait(struct kd_intake *intake)
{
	double wait = intake->state == KD_INTAKE_WAITING			 ? CHECK
		      : intake->state == KD_INTAKE_POLLING || intake->incomplete ? POLL
										 : SAFETY;
	ev_timer_stop(intake->loop, &intake->again);
	ev_timer_set(&intake->again, wait, 0.);
	ev_timer_start(intake->loop, &intake->again);
}

void
kd_intake_root_set_state(
	struct kd_intake *intake, enum kd_intake_state state, const char *why)
{
	int same = intake->state == state && strcmp(intake->why, why) == 0;
	intake->state = state;
	snprintf(intake->why, sizeof intake->why, "%s", why);
	kd_intake_root_wait(intake);
	if (same)
		return;
	struct kd_log_about about = {.rule = intake->rule->name};
	const char *watch = KD_NAME(intake->rule->watch);
	if (state == KD_INTAKE_WATCHING)
		kd_log_about(KD_INFO, &about, "rule '%s': watching '%s'",
			intake->rule->name, watch);
	else
		kd_log_about(KD_WARNING, &about, "rule '%s': %s '%s': %s",
			intake->rule->name,
			state == KD_INTAKE_POLLING ? "polling" : "waiting for", watch,
			why);
	if (intake->ready)
		intake->handler.changed(intake->handler.context, intake);
}

void
kd_intake_root_scan(struct kd_intake *intake)
{
	kd_intake_tell_memory(intake, intake->rule->watch, kd_scan_all(intake->scan));
}

/* The folder that was found went away, or another took its place. */
static void
forget_root(struct kd_intake *intake)
{
	kd_scan_stop(intake->scan);
	kd_drops_stop(intake->drops);
	kd_inotify_forget(intake->inotify, &intake->subscriber, "");
	kd_root_lose(&intake->root);
	kd_canary_forget(&intake->canary);
}

/* Of a folder above that is renamed the root hears nothing. */
static void
watch_above(struct kd_intake *intake)
{
	char path[PATH_MAX], *slash;
	if (realpath(intake->rule->watch, path) == NULL)
		return;
	while ((slash = strrchr(path, '/')) != path && slash != NULL) {
		*slash = '\0';
		kd_inotify_add_above(intake->inotify, &intake->subscriber, path);
	}
}

void
kd_intake_root_find(struct kd_intake *intake)
{
	struct kd_err err;
	if (intake->root.found)
		forget_root(intake);
	if (kd_root_find(&intake->root, &err) < 0) {
		kd_intake_root_set_state(intake, KD_INTAKE_WAITING, err.text);
		return;
	}
	intake->polled = kd_root_is_polled(&intake->root);
	watch_above(intake);
	if (intake->polled)
		kd_intake_root_set_state(intake, KD_INTAKE_POLLING,
			"events do not tell of all changes on its file system");
	else
		kd_intake_root_set_state(intake, KD_INTAKE_WATCHING, "");
	kd_intake_root_scan(intake);
}

void
kd_intake_root_check(struct kd_intake *intake)
{
	if (!kd_root_is_same(&intake->root))
		kd_intake_root_find(intake);
}

int
kd_intake_root_watch(struct kd_intake *intake, int dir, const char *path)
{
	int rc = kd_inotify_add(intake->inotify, &intake->subscriber, dir, path);
	if (rc != -ENOSPC && rc != -EMFILE && rc != -ENFILE)
		return rc;
	intake->unwatched++;
	if (!intake->polled)
		kd_intake_root_set_state(intake, KD_INTAKE_POLLING,
			rc == -ENOSPC ? "the limit of watches is reached "
					"(fs.inotify.max_user_watches)"
				      : "the limit of inotify instances is reached "
					"(fs.inotify.max_user_instances)");
	return 0;
}

void
kd_intake_root_release(struct kd_intake *intake)
{
	if (!kd_intake_is_current(intake) || kd_intake_settling(intake) > 0)
		return;
	kd_drops_stop(intake->drops);
	kd_root_release(&intake->root);
}
