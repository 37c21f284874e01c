/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Invariant: a folder is watched before it is read, so that what arrives in between is
 * seen twice rather than never.
 */
#include "daemon/intake/intake.h"

#include "daemon/base/file.h"
#include "daemon/base/log.h"
#include "daemon/base/name.h"
#include "daemon/intake/canary.h"
#include "daemon/intake/drops.h"
#include "daemon/intake/filter.h"
#include "daemon/intake/root.h"
#include "daemon/intake/scan.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

static const double CHECK = 2;	   /* seconds between looks for a root that is away */
static const double POLL = 10;	   /* between scans where events do not tell of all */
static const double SAFETY = 3600; /* between scans elsewhere, should a watch have died */

struct kd_intake {
	struct ev_loop *loop;
	struct kd_inotify *inotify;
	struct kd_inotify_subscriber subscriber;
	const struct kd_rule *rule;
	struct kd_intake_handler handler;
	struct kd_drops *drops; /* that settle */
	struct kd_root root;
	int polled; /* events do not tell of everything there */
	int ready;  /* built: the handler may be called */
	enum kd_intake_state state;
	char why[256];
	struct kd_scan *scan;
	uint64_t unwatched; /* folders that this scan could not watch ... */
	int incomplete;	    /* ... or could not read, for want of descriptors or memory */
	ev_timer again;	    /* looks for the root, and polls */
	struct kd_canary canary;
	uint64_t lost;	   /* watches that had died */
	unsigned lost_now; /* of these, since one was last known to live */
};

/* Until the root is looked for, or scanned, without a cause. */
static void
wait_on(struct kd_intake *intake)
{
	double wait = intake->state == KD_INTAKE_WAITING			 ? CHECK
		      : intake->state == KD_INTAKE_POLLING || intake->incomplete ? POLL
										 : SAFETY;
	ev_timer_stop(intake->loop, &intake->again);
	ev_timer_set(&intake->again, wait, 0.);
	ev_timer_start(intake->loop, &intake->again);
}

static void
set_state(struct kd_intake *intake, enum kd_intake_state state, const char *why)
{
	int same = intake->state == state && strcmp(intake->why, why) == 0;
	intake->state = state;
	snprintf(intake->why, sizeof intake->why, "%s", why);
	wait_on(intake);
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

static void
tell_memory(const struct kd_intake *intake, const char *path, int rc)
{
	if (rc < 0)
		kd_log(KD_ERROR, "rule '%s': out of memory, '%s' waits for the next scan",
			intake->rule->name, KD_NAME(path));
}

static void
scan_all(struct kd_intake *intake)
{
	tell_memory(intake, intake->rule->watch, kd_scan_all(intake->scan));
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

/* Takes what bears the drop folder's name now for the drop folder. */
static void
find_root(struct kd_intake *intake)
{
	struct kd_err err;
	if (intake->root.found)
		forget_root(intake);
	if (kd_root_find(&intake->root, &err) < 0) {
		set_state(intake, KD_INTAKE_WAITING, err.text);
		return;
	}
	intake->polled = kd_root_is_polled(&intake->root);
	watch_above(intake);
	if (intake->polled)
		set_state(intake, KD_INTAKE_POLLING,
			"events do not tell of all changes on its file system");
	else
		set_state(intake, KD_INTAKE_WATCHING, "");
	scan_all(intake);
}

/* A folder that cannot be watched for want of a limit is scanned again soon. */
static int
watch_folder(struct kd_intake *intake, int dir, const char *path)
{
	int rc = kd_inotify_add(intake->inotify, &intake->subscriber, dir, path);
	if (rc != -ENOSPC && rc != -EMFILE && rc != -ENFILE)
		return rc;
	intake->unwatched++;
	if (!intake->polled)
		set_state(intake, KD_INTAKE_POLLING,
			rc == -ENOSPC ? "the limit of watches is reached "
					"(fs.inotify.max_user_watches)"
				      : "the limit of inotify instances is reached "
					"(fs.inotify.max_user_instances)");
	return 0;
}

/* An entry that a scan found or an event named: a unit settles, a folder is scanned. */
static void
take_entry(void *context, const char *path, int is_folder, enum kd_ready_seen seen)
{
	struct kd_intake *intake = context;
	struct kd_filter_verdict verdict = kd_filter_entry(intake->rule, path, is_folder);
	if (verdict.unit > 0)
		tell_memory(
			intake, path, kd_drops_see(intake->drops, path, &verdict, seen));
	if (verdict.descend)
		tell_memory(intake, path,
			kd_scan_add(intake->scan, path,
				seen == KD_SEEN_EVENT || seen == KD_SEEN_NEW
					? KD_SEEN_NEW
					: KD_SEEN_SCAN));
}

static int
is_shortage(int rc)
{
	return rc == -EMFILE || rc == -ENFILE || rc == -ENOMEM;
}

/* Watches and opens a folder; -ENOENT when it is gone. */
static int
open_folder(void *context, const char *path)
{
	struct kd_intake *intake = context;
	if (path[0] == '\0')
		intake->unwatched = intake->incomplete = 0;
	int root = kd_root_open(&intake->root);
	if (root == -ESTALE)
		return -ENOENT; /* the next check finds the other one */
	int fd = root < 0 ? root
			  : kd_file_open_beneath(root, path[0] == '\0' ? "." : path,
				    O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
	int rc = fd < 0 ? fd : watch_folder(intake, fd, path);
	if (rc == 0)
		return fd;
	if (fd >= 0)
		close(fd);
	return rc;
}

static void
skipped(void *context, const char *folder, int rc)
{
	struct kd_intake *intake = context;
	kd_log(KD_WARNING, "rule '%s': cannot look into '%s' (%s), %s",
		intake->rule->name, KD_NAME(folder), strerror(-rc),
		is_shortage(rc) ? "trying again soon" : "skipping it");
	if (is_shortage(rc))
		intake->incomplete = 1;
}

/* What is held open keeps a file system from being unmounted. */
static void
release_root(struct kd_intake *intake)
{
	if (!kd_intake_is_current(intake) || kd_intake_settling(intake) > 0)
		return;
	kd_drops_stop(intake->drops);
	kd_root_release(&intake->root);
}

static void
scan_ended(void *context, int whole)
{
	struct kd_intake *intake = context;
	if (whole && intake->unwatched == 0 && !intake->polled &&
		intake->state == KD_INTAKE_POLLING)
		set_state(intake, KD_INTAKE_WATCHING, "");
	wait_on(intake);
	release_root(intake);
	intake->handler.changed(intake->handler.context, intake);
}

/* Whether the name still leads to the folder that is watched. */
static void
check_root(struct kd_intake *intake)
{
	if (!kd_root_is_same(&intake->root))
		find_root(intake);
}

static void
try_again(struct ev_loop *loop, ev_timer *timer, int events)
{
	(void)loop;
	(void)events;
	struct kd_intake *intake = timer->data;
	check_root(intake);
	kd_intake_prove(intake);
	if (intake->root.found && kd_intake_is_current(intake))
		scan_all(intake);
	wait_on(intake);
}

static struct kd_intake *
of_subscriber(struct kd_inotify_subscriber *subscriber)
{
	return (struct kd_intake *)((char *)subscriber -
				    offsetof(struct kd_intake, subscriber));
}

/* The kernel told that the root was opened: by us, to see whether it would. */
static void
take_proof(struct kd_intake *intake)
{
	intake->lost_now = 0;
	kd_canary_answered(&intake->canary, intake->inotify, &intake->root);
	release_root(intake);
}

static void
on_event(struct kd_inotify_subscriber *subscriber, const char *folder, const char *name,
	uint32_t mask)
{
	const uint32_t left = IN_MOVED_FROM | IN_DELETE;
	struct kd_intake *intake = of_subscriber(subscriber);
	char path[PATH_MAX];
	if (!intake->root.found)
		return;
	if ((mask & IN_OPEN) != 0) {
		if (folder[0] == '\0' && name[0] == '\0')
			take_proof(intake);
		return;
	}
	if (folder[0] == '\0' &&
		(mask & (IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT | IN_IGNORED)) != 0) {
		find_root(intake);
		return;
	}
	if (name[0] == '\0' || !kd_scan_join(path, folder, name))
		return;
	/* A folder that was moved takes its watches along, wherever it goes. */
	if ((mask & IN_ISDIR) != 0 && (mask & IN_MOVED_FROM) != 0)
		kd_inotify_forget(intake->inotify, subscriber, path);
	take_entry(intake, path, (mask & IN_ISDIR) != 0 && (mask & left) == 0,
		(mask & IN_MOVED_TO) != 0 ? KD_SEEN_ARRIVAL : KD_SEEN_EVENT);
	release_root(intake);
}

static void
on_overflow(struct kd_inotify_subscriber *subscriber)
{
	struct kd_intake *intake = of_subscriber(subscriber);
	kd_log(KD_WARNING, "rule '%s': the kernel lost events, scanning again",
		intake->rule->name);
	kd_canary_forget(&intake->canary);
	kd_intake_rescan(intake);
}

static void
on_moved(struct kd_inotify_subscriber *subscriber)
{
	check_root(of_subscriber(subscriber));
}

static void
settled(void *context, const struct kd_unit *unit)
{
	struct kd_intake *intake = context;
	intake->handler.settled(intake->handler.context, unit);
}

static void
counted(void *context)
{
	struct kd_intake *intake = context;
	release_root(intake);
	intake->handler.changed(intake->handler.context, intake);
}

/* What comes now lies where it lies, and is found by the scan: the one that is under way
 * waits in its place, another makes up for events. */
static void
filled(void *context)
{
	struct kd_intake *intake = context;
	struct kd_log_about about = {.rule = intake->rule->name};
	kd_scan_hold(intake->scan, 1);
	kd_log_about(KD_INFO, &about,
		"rule '%s': %u drops wait (backlog); others are taken in when half of "
		"these are done",
		intake->rule->name, intake->rule->backlog);
}

/* What settles, and what finds it. */
static int
new_parts(struct kd_intake *intake)
{
	const struct kd_drops_handler drops = {
		.settled = settled,
		.counted = counted,
		.filled = filled,
		.context = intake,
	};
	const struct kd_scan_handler scan = {
		.open = open_folder,
		.entry = take_entry,
		.skipped = skipped,
		.ended = scan_ended,
		.context = intake,
	};
	intake->scan = kd_scan_new(intake->loop, &scan);
	intake->drops = kd_drops_new(intake->loop, intake->rule, &intake->root, &drops);
	return intake->scan == NULL || intake->drops == NULL ? -ENOMEM : 0;
}

static void
free_parts(struct kd_intake *intake)
{
	kd_scan_free(intake->scan);
	kd_drops_free(intake->drops);
	kd_root_clear(&intake->root);
	free(intake);
}

struct kd_intake *
kd_intake_new(struct ev_loop *loop, struct kd_inotify *inotify,
	const struct kd_rule *rule, const struct kd_intake_handler *handler)
{
	struct kd_intake *intake = calloc(1, sizeof *intake);
	if (intake == NULL)
		return NULL;
	intake->loop = loop;
	intake->rule = rule;
	intake->root.fd = -1;
	if (new_parts(intake) < 0 ||
		kd_root_init(&intake->root, rule->watch, rule->mount) < 0) {
		free_parts(intake);
		return NULL;
	}
	intake->inotify = inotify;
	intake->handler = *handler;
	intake->subscriber.event = on_event;
	intake->subscriber.overflow = on_overflow;
	intake->subscriber.moved = on_moved;
	kd_inotify_subscribe(inotify, &intake->subscriber);
	ev_timer_init(&intake->again, try_again, CHECK, 0.);
	intake->again.data = intake;
	intake->state = KD_INTAKE_WAITING;
	find_root(intake);
	intake->ready = 1;
	return intake;
}

void
kd_intake_free(struct kd_intake *intake)
{
	if (intake == NULL)
		return;
	kd_inotify_unsubscribe(intake->inotify, &intake->subscriber);
	ev_timer_stop(intake->loop, &intake->again);
	free_parts(intake);
}

void
kd_intake_rescan(struct kd_intake *intake)
{
	check_root(intake);
	if (intake->root.found)
		scan_all(intake);
}

void
kd_intake_catch_up(struct kd_intake *intake)
{
	check_root(intake);
	if (intake->state == KD_INTAKE_POLLING || intake->incomplete)
		scan_all(intake);
}

/* Whoever lost a watch once may have lost others: all are taken anew. */
static void
renew(struct kd_intake *intake)
{
	const struct kd_log_about about = {.rule = intake->rule->name};
	intake->lost++;
	if (intake->lost_now++ == 0)
		kd_log_about(KD_WARNING, &about,
			"rule '%s': the watch on '%s' had died; watching it anew and "
			"scanning it",
			intake->rule->name, KD_NAME(intake->rule->watch));
	find_root(intake);
	if (intake->lost_now > 1 && intake->root.found) {
		intake->polled = 1;
		set_state(intake, KD_INTAKE_POLLING,
			"its watch died again at once; events do not come");
	}
}

int
kd_intake_prove(struct kd_intake *intake)
{
	if (intake->state != KD_INTAKE_WATCHING || !kd_intake_is_current(intake))
		return 1;
	enum kd_canary_verdict verdict =
		kd_canary_ask(&intake->canary, intake->inotify, &intake->root);
	if (verdict == KD_CANARY_DEAD)
		renew(intake);
	release_root(intake);
	return verdict != KD_CANARY_DEAF;
}

uint64_t
kd_intake_lost(const struct kd_intake *intake)
{
	return intake->lost;
}

void
kd_intake_touch(struct kd_intake *intake, const char *path)
{
	tell_memory(intake, path, kd_drops_touch(intake->drops, path));
}

const struct kd_rule *
kd_intake_rule(const struct kd_intake *intake)
{
	return intake->rule;
}

uint64_t
kd_intake_settling(const struct kd_intake *intake)
{
	return kd_drops_count(intake->drops);
}

int
kd_intake_is_settling(const struct kd_intake *intake, const char *path)
{
	return kd_drops_has(intake->drops, path);
}

int
kd_intake_is_waited_for(const struct kd_intake *intake, const char *path)
{
	return kd_drops_waits(intake->drops, path);
}

int
kd_intake_is_current(const struct kd_intake *intake)
{
	return kd_scan_is_over(intake->scan) && !kd_drops_has_missed(intake->drops);
}

void
kd_intake_set_room(struct kd_intake *intake, uint64_t room)
{
	int was_full = kd_drops_is_full(intake->drops);
	kd_drops_set_room(intake->drops, room);
	if (!was_full || kd_drops_is_full(intake->drops))
		return;
	kd_scan_hold(intake->scan, 0);
	if (kd_drops_has_missed(intake->drops) && intake->root.found)
		scan_all(intake);
	kd_drops_forget_missed(intake->drops);
}

int
kd_intake_is_full(const struct kd_intake *intake)
{
	return kd_drops_is_full(intake->drops);
}

enum kd_intake_state
kd_intake_state(const struct kd_intake *intake, const char **why)
{
	*why = intake->why[0] == '\0' ? NULL : intake->why;
	return intake->state;
}
