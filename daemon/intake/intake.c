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
#include "daemon/intake/families.h"
#include "daemon/intake/filter.h"
#include "daemon/intake/look.h"
#include "daemon/intake/ready.h"
#include "daemon/intake/root.h"
#include "daemon/intake/scan.h"
#include "daemon/intake/settle.h"
#include "plugins/kiln_plugin.h"

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
	struct kd_settle *settle;
	struct kd_families *families; /* of sequences and bundles, in place of settle */
	struct kd_root root;
	int polled; /* events do not tell of everything there */
	int ready;  /* built: the handler may be called */
	enum kd_intake_state state;
	char why[256];
	struct kd_look_walk *walk; /* of directories */
	struct kd_scan *scan;
	uint64_t unwatched; /* folders that this scan could not watch ... */
	int incomplete;	    /* ... or could not read, for want of descriptors or memory */
	uint64_t room;	    /* for so many more candidates */
	int full, missed;   /* there was none; and something came that had none */
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

/* What looks at the drop folder holds nothing of it open any more. */
static void
stop_looking(struct kd_intake *intake)
{
	if (intake->walk != NULL)
		kd_look_walk_stop(intake->walk);
	if (intake->families != NULL)
		kd_families_stop(intake->families);
}

/* The folder that was found went away, or another took its place. */
static void
forget_root(struct kd_intake *intake)
{
	kd_scan_stop(intake->scan);
	stop_looking(intake);
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

/* There is no room for more candidates.  What comes lies where it lies, and is found by
 * the scan: the one that is under way waits in its place, another makes up for events. */
static void
fill_up(struct kd_intake *intake)
{
	if (intake->full)
		return;
	intake->full = 1;
	kd_scan_hold(intake->scan, 1);
	struct kd_log_about about = {.rule = intake->rule->name};
	kd_log_about(KD_INFO, &about,
		"rule '%s': %u drops wait (backlog); what else comes is taken in when "
		"half "
		"of them are done",
		intake->rule->name, intake->rule->backlog);
}

/* So many candidates more than `before` take their room. */
static void
spend_room(struct kd_intake *intake, uint64_t before)
{
	uint64_t now = kd_intake_settling(intake);
	uint64_t spent = now > before ? now - before : 0;
	intake->room -= spent < intake->room ? spent : intake->room;
	if (intake->room == 0)
		fill_up(intake);
}

static int
act(struct kd_intake *intake, const char *unit, enum kd_ready_act act)
{
	switch (act) {
	case KD_ACT_NOTHING:
		break;
	case KD_ACT_NOTE:
		return kd_settle_note(intake->settle, unit);
	case KD_ACT_TOUCH:
		return kd_settle_touch(intake->settle, unit);
	case KD_ACT_TAKE:
		return kd_settle_take(intake->settle, unit);
	}
	return 0;
}

static void
take_unit(struct kd_intake *intake, const char *path,
	const struct kd_filter_verdict *verdict, enum kd_ready_seen seen)
{
	char unit[PATH_MAX];
	uint64_t before = kd_intake_settling(intake);
	snprintf(unit, sizeof unit, "%.*s", (int)verdict->unit, path);
	if (intake->room == 0 &&
		(intake->families != NULL || !kd_settle_has(intake->settle, unit))) {
		intake->missed = 1;
		return;
	}
	if (intake->families != NULL)
		tell_memory(intake, path,
			kd_families_see(intake->families, path,
				seen == KD_SEEN_EVENT || seen == KD_SEEN_ARRIVAL));
	else
		tell_memory(intake, unit,
			act(intake, unit,
				kd_ready_act(intake->rule, kd_root_open(&intake->root),
					path, verdict, seen)));
	spend_room(intake, before);
}

/* An entry that a scan found or an event named: a unit settles, a folder is scanned. */
static void
take_entry(void *context, const char *path, int is_folder, enum kd_ready_seen seen)
{
	struct kd_intake *intake = context;
	struct kd_filter_verdict verdict = kd_filter_entry(intake->rule, path, is_folder);
	if (verdict.unit > 0)
		take_unit(intake, path, &verdict, seen);
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
	stop_looking(intake);
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

static int
look(void *context, const char *path, struct kd_settle_reach *reach, struct kd_look *seen)
{
	struct kd_intake *intake = context;
	int root = kd_root_open(&intake->root);
	if (root < 0) /* away, or another one: a scan finds what is there then */
		return -ENOENT;
	reach->entries--;
	if (intake->rule->unit != KILN_DIRECTORY)
		return kd_look_file(root, path, seen);
	const struct kd_look_wanted wanted = {
		.root = root,
		.path = path,
		.marker = intake->rule->ready == KD_READY_MARKER ? intake->rule->marker
								 : NULL,
	};
	return kd_look_directory(intake->walk, &wanted, &reach->entries, seen);
}

static void
settled(void *context, const char *path, const struct kd_look *seen)
{
	struct kd_intake *intake = context;
	if (intake->families == NULL &&
		!kd_ready_is_whole(intake->rule, kd_root_open(&intake->root), path, seen))
		return;
	struct kd_unit unit = {
		.rule = intake->rule->name,
		.path = (char *)path,
		.kind = intake->rule->unit,
		.identity = seen->identity,
	};
	intake->handler.settled(intake->handler.context, &unit);
}

static void
counted(void *context)
{
	struct kd_intake *intake = context;
	release_root(intake);
	intake->handler.changed(intake->handler.context, intake);
}

/* What settles, drops of one path each or families of files; and what finds it. */
static int
new_parts(struct kd_intake *intake)
{
	const struct kd_rule *rule = intake->rule;
	const struct kd_settle_handler one = {
		.look = look,
		.settled = settled,
		.counted = counted,
		.context = intake,
		.cheap = rule->unit != KILN_DIRECTORY,
	};
	const struct kd_families_handler several = {
		.settled = settled, .counted = counted, .context = intake};
	const struct kd_scan_handler scan = {
		.open = open_folder,
		.entry = take_entry,
		.skipped = skipped,
		.ended = scan_ended,
		.context = intake,
	};
	intake->scan = kd_scan_new(intake->loop, &scan);
	if (rule->unit == KILN_SEQUENCE || rule->unit == KILN_BUNDLE)
		intake->families =
			kd_families_new(intake->loop, rule, &intake->root, &several);
	else
		intake->settle = kd_settle_new(intake->loop, rule->settle, &one);
	if (rule->unit == KILN_DIRECTORY)
		intake->walk = kd_look_walk_new();
	return intake->scan == NULL ||
			       (intake->families == NULL && intake->settle == NULL) ||
			       (rule->unit == KILN_DIRECTORY && intake->walk == NULL)
		       ? -ENOMEM
		       : 0;
}

static void
free_parts(struct kd_intake *intake)
{
	kd_scan_free(intake->scan);
	kd_settle_free(intake->settle);
	kd_families_free(intake->families);
	kd_look_walk_free(intake->walk);
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
	intake->room = UINT64_MAX;
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
	tell_memory(intake, path,
		intake->families != NULL ? kd_families_touch(intake->families, path)
					 : kd_settle_touch(intake->settle, path));
}

const struct kd_rule *
kd_intake_rule(const struct kd_intake *intake)
{
	return intake->rule;
}

uint64_t
kd_intake_settling(const struct kd_intake *intake)
{
	return intake->families != NULL ? kd_families_count(intake->families)
					: kd_settle_count(intake->settle);
}

int
kd_intake_is_settling(const struct kd_intake *intake, const char *path)
{
	return intake->families != NULL ? kd_families_has(intake->families, path)
					: kd_settle_has(intake->settle, path);
}

int
kd_intake_is_waited_for(const struct kd_intake *intake, const char *path)
{
	return intake->families != NULL && kd_families_waits(intake->families, path);
}

int
kd_intake_is_current(const struct kd_intake *intake)
{
	return kd_scan_is_over(intake->scan) && !intake->missed;
}

void
kd_intake_set_room(struct kd_intake *intake, uint64_t room)
{
	if (intake->full && room < intake->rule->backlog - intake->rule->backlog / 2)
		room = 0;
	intake->room = room;
	if (room == 0) {
		fill_up(intake);
		return;
	}
	if (!intake->full)
		return;
	intake->full = 0;
	kd_scan_hold(intake->scan, 0);
	if (intake->missed && intake->root.found)
		scan_all(intake);
	intake->missed = 0;
}

int
kd_intake_is_full(const struct kd_intake *intake)
{
	return intake->full;
}

enum kd_intake_state
kd_intake_state(const struct kd_intake *intake, const char **why)
{
	*why = intake->why[0] == '\0' ? NULL : intake->why;
	return intake->state;
}
