/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Invariant: a folder is watched before it is read, so that what arrives in between is
 * seen twice rather than never.
 */
#include "daemon/intake/intake.h"

#include "daemon/base/file.h"
#include "daemon/base/log.h"
#include "daemon/base/name.h"
#include "daemon/intake/filter.h"
#include "daemon/intake/intake_parts.h"
#include "daemon/intake/intake_root.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

/* An entry that a scan found or an event named: a unit settles, a folder is scanned. */
static void
take_entry(void *context, const char *path, int is_folder, enum kd_ready_seen seen)
{
	struct kd_intake *intake = context;
	struct kd_filter_verdict verdict = kd_filter_entry(intake->rule, path, is_folder);
	if (verdict.unit > 0)
		kd_intake_tell_memory(
			intake, path, kd_drops_see(intake->drops, path, &verdict, seen));
	if (verdict.descend)
		kd_intake_tell_memory(intake, path,
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
	int rc = fd < 0 ? fd : kd_intake_root_watch(intake, fd, path);
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

static void
scan_ended(void *context, int whole)
{
	struct kd_intake *intake = context;
	if (whole && intake->unwatched == 0 && !intake->polled &&
		intake->state == KD_INTAKE_POLLING)
		kd_intake_root_set_state(intake, KD_INTAKE_WATCHING, "");
	kd_intake_root_wait(intake);
	kd_intake_root_release(intake);
	intake->handler.changed(intake->handler.context, intake);
}

static void
try_again(struct ev_loop *loop, ev_timer *timer, int events)
{
	(void)loop;
	(void)events;
	struct kd_intake *intake = timer->data;
	kd_intake_root_check(intake);
	kd_intake_prove(intake);
	if (intake->root.found && kd_intake_is_current(intake))
		kd_intake_root_scan(intake);
	kd_intake_root_wait(intake);
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
	kd_intake_root_release(intake);
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
		kd_intake_root_find(intake);
		return;
	}
	if (name[0] == '\0' || !kd_scan_join(path, folder, name))
		return;
	/* A folder that was moved takes its watches along, wherever it goes. */
	if ((mask & IN_ISDIR) != 0 && (mask & IN_MOVED_FROM) != 0)
		kd_inotify_forget(intake->inotify, subscriber, path);
	take_entry(intake, path, (mask & IN_ISDIR) != 0 && (mask & left) == 0,
		(mask & IN_MOVED_TO) != 0 ? KD_SEEN_ARRIVAL : KD_SEEN_EVENT);
	kd_intake_root_release(intake);
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
	kd_intake_root_check(of_subscriber(subscriber));
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
	kd_intake_root_release(intake);
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
	ev_timer_init(&intake->again, try_again, 0., 0.);
	intake->again.data = intake;
	intake->state = KD_INTAKE_WAITING;
	kd_intake_root_find(intake);
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
	kd_intake_root_check(intake);
	if (intake->root.found)
		kd_intake_root_scan(intake);
}

void
kd_intake_catch_up(struct kd_intake *intake)
{
	kd_intake_root_check(intake);
	if (intake->state == KD_INTAKE_POLLING || intake->incomplete)
		kd_intake_root_scan(intake);
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
	kd_intake_root_find(intake);
	if (intake->lost_now > 1 && intake->root.found) {
		intake->polled = 1;
		kd_intake_root_set_state(intake, KD_INTAKE_POLLING,
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
	kd_intake_root_release(intake);
	return verdict != KD_CANARY_DEAF;
}

void
kd_intake_touch(struct kd_intake *intake, const char *path)
{
	kd_intake_tell_memory(intake, path, kd_drops_touch(intake->drops, path));
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
		kd_intake_root_scan(intake);
	kd_drops_forget_missed(intake->drops);
}
