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
#include "daemon/intake/look.h"
#include "daemon/intake/ready.h"
#include "daemon/intake/settle.h"
#include "plugins/kiln_plugin.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

static const double RETRY = 2; /* seconds between looks for a drop folder that is away */
static const double POLL = 10; /* seconds between scans where no events come */

struct folder { /* to be scanned */
	struct folder *next;
	enum kd_ready_seen seen; /* SCAN or NEW: how it came to be scanned */
	char path[];
};

struct kd_intake {
	struct ev_loop *loop;
	struct kd_inotify *inotify;
	struct kd_inotify_subscriber subscriber;
	const struct kd_rule *rule;
	struct kd_intake_handler handler;
	struct kd_settle *settle;
	int root;  /* -1: waiting */
	int ready; /* built: the handler may be called */
	enum kd_intake_state state;
	char why[256];
	struct folder *first, **last; /* to be scanned */
	DIR *dir;		      /* being scanned */
	char *dir_path;
	enum kd_ready_seen dir_seen;
	ev_idle scan;
	ev_timer again; /* tries the root again, or polls */
};

static void
set_state(struct kd_intake *intake, enum kd_intake_state state, const char *why)
{
	int same = intake->state == state && strcmp(intake->why, why) == 0;
	intake->state = state;
	snprintf(intake->why, sizeof intake->why, "%s", why);
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
scan_later(struct kd_intake *intake, const char *path, enum kd_ready_seen seen)
{
	size_t length = strlen(path) + 1;
	struct folder *folder = malloc(sizeof *folder + length);
	if (folder == NULL) {
		kd_log(KD_ERROR,
			"rule '%s': out of memory, '%s' is not scanned until the next "
			"scan",
			intake->rule->name, KD_NAME(path));
		return;
	}
	folder->next = NULL;
	folder->seen = seen;
	memcpy(folder->path, path, length);
	*intake->last = folder;
	intake->last = &folder->next;
	ev_idle_start(intake->loop, &intake->scan);
}

static void
end_folder(struct kd_intake *intake)
{
	if (intake->dir != NULL)
		closedir(intake->dir);
	free(intake->dir_path);
	intake->dir = NULL;
	intake->dir_path = NULL;
}

static void
forget_scans(struct kd_intake *intake)
{
	end_folder(intake);
	while (intake->first != NULL) {
		struct folder *next = intake->first->next;
		free(intake->first);
		intake->first = next;
	}
	intake->last = &intake->first;
	ev_idle_stop(intake->loop, &intake->scan);
}

/* The drop folder went away, or was never there. */
static void
lose_root(struct kd_intake *intake, const char *why)
{
	forget_scans(intake);
	if (intake->root >= 0)
		close(intake->root);
	intake->root = -1;
	set_state(intake, KD_INTAKE_WAITING, why);
	ev_timer_stop(intake->loop, &intake->again);
	ev_timer_set(&intake->again, RETRY, RETRY);
	ev_timer_start(intake->loop, &intake->again);
}

static void
fall_back_to_polling(struct kd_intake *intake, const char *why)
{
	set_state(intake, KD_INTAKE_POLLING, why);
	ev_timer_stop(intake->loop, &intake->again);
	ev_timer_set(&intake->again, POLL, POLL);
	ev_timer_start(intake->loop, &intake->again);
}

static int
watch_folder(struct kd_intake *intake, int dir, const char *path)
{
	if (intake->state == KD_INTAKE_POLLING)
		return 0;
	int rc = kd_inotify_add(intake->inotify, &intake->subscriber, dir, path);
	if (rc == -ENOSPC)
		fall_back_to_polling(intake,
			"the limit of watches is reached (fs.inotify.max_user_watches)");
	return rc == -ENOSPC ? 0 : rc;
}

static void
take_unit(struct kd_intake *intake, const char *unit, enum kd_ready_act act)
{
	int rc = 0;
	switch (act) {
	case KD_ACT_NOTHING:
		break;
	case KD_ACT_NOTE:
		rc = kd_settle_note(intake->settle, unit);
		break;
	case KD_ACT_TOUCH:
		rc = kd_settle_touch(intake->settle, unit);
		break;
	case KD_ACT_TAKE:
		kd_settle_take(intake->settle, unit);
		break;
	}
	if (rc < 0)
		kd_log(KD_ERROR, "rule '%s': out of memory, '%s' waits for the next scan",
			intake->rule->name, KD_NAME(unit));
}

/* An entry that a scan found or an event named: a unit settles, a folder is scanned. */
static void
take_entry(struct kd_intake *intake, const char *path, int is_folder,
	enum kd_ready_seen seen)
{
	struct kd_filter_verdict verdict = kd_filter_entry(intake->rule, path, is_folder);
	if (verdict.unit > 0) {
		char unit[PATH_MAX];
		snprintf(unit, sizeof unit, "%.*s", (int)verdict.unit, path);
		take_unit(intake, unit,
			kd_ready_act(intake->rule, intake->root, path, &verdict, seen));
	}
	if (verdict.descend)
		scan_later(intake, path,
			seen == KD_SEEN_EVENT || seen == KD_SEEN_NEW ? KD_SEEN_NEW
								     : KD_SEEN_SCAN);
}

/* The path of an entry; 0 when it is too long to be one. */
static int
join(char path[PATH_MAX], const char *folder, const char *name)
{
	int length = snprintf(
		path, PATH_MAX, "%s%s%s", folder, folder[0] == '\0' ? "" : "/", name);
	return length > 0 && length < PATH_MAX;
}

static int
is_folder(int dir, const struct dirent *entry)
{
	struct stat st;
	if (entry->d_type != DT_UNKNOWN)
		return entry->d_type == DT_DIR;
	return fstatat(dir, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       S_ISDIR(st.st_mode);
}

/* Watches and opens the next folder to be scanned. */
static void
begin_folder(struct kd_intake *intake)
{
	struct folder *folder = intake->first;
	intake->first = folder->next;
	if (intake->first == NULL)
		intake->last = &intake->first;
	const char *path = folder->path[0] == '\0' ? "." : folder->path;
	int fd = kd_file_open_beneath(
		intake->root, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
	int rc = fd < 0 ? fd : watch_folder(intake, fd, folder->path);
	if (rc == 0) {
		intake->dir = fdopendir(fd);
		intake->dir_path = strdup(folder->path);
		intake->dir_seen = folder->seen;
		if (intake->dir == NULL || intake->dir_path == NULL)
			rc = -ENOMEM;
	}
	if (rc < 0) {
		if (fd >= 0 && intake->dir == NULL)
			close(fd);
		end_folder(intake);
		if (rc != -ENOENT)
			kd_log(KD_WARNING,
				"rule '%s': cannot look into '%s' (%s), skipping it",
				intake->rule->name, KD_NAME(folder->path), strerror(-rc));
	}
	free(folder);
}

static void
scan_slice(struct ev_loop *loop, ev_idle *idle, int events)
{
	(void)events;
	enum { SLICE = 256 };
	struct kd_intake *intake = idle->data;
	if (intake->dir == NULL && intake->first != NULL)
		begin_folder(intake);
	const struct dirent *entry = NULL;
	for (int i = 0; i < SLICE && intake->dir != NULL; i++) {
		entry = readdir(intake->dir);
		if (entry == NULL) {
			end_folder(intake);
			break;
		}
		char path[PATH_MAX];
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
			!join(path, intake->dir_path, entry->d_name))
			continue;
		take_entry(intake, path, is_folder(dirfd(intake->dir), entry),
			intake->dir_seen);
	}
	if (intake->dir == NULL && intake->first == NULL) {
		ev_idle_stop(loop, &intake->scan);
		intake->handler.changed(intake->handler.context, intake);
	}
}

/* File systems whose other clients make changes that no event here tells of
 * (statfs(2), linux/magic.h). */
static int
sends_no_events(int root)
{
	static const unsigned remote[] = {0x6969 /* NFS */, 0x517b /* SMB */,
		0xff534d42 /* CIFS */, 0xfe534d42 /* SMB2 */, 0x65735546 /* FUSE */,
		0x01021997 /* 9p */, 0x5346414f /* AFS */, 0x00c36400 /* Ceph */,
		0x0bd00bd0 /* Lustre */};
	struct statfs fs;
	if (fstatfs(root, &fs) < 0)
		return 0;
	for (size_t i = 0; i < sizeof remote / sizeof *remote; i++)
		if ((unsigned)fs.f_type == remote[i])
			return 1;
	return 0;
}

static void
open_root(struct kd_intake *intake)
{
	intake->root = open(intake->rule->watch, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (intake->root < 0) {
		lose_root(intake, strerror(errno));
		return;
	}
	ev_timer_stop(intake->loop, &intake->again);
	if (sends_no_events(intake->root))
		fall_back_to_polling(intake, "its file system sends no events");
	else
		set_state(intake, KD_INTAKE_WATCHING, "");
	scan_later(intake, "", KD_SEEN_SCAN);
}

static void
try_again(struct ev_loop *loop, ev_timer *timer, int events)
{
	(void)loop;
	(void)events;
	struct kd_intake *intake = timer->data;
	if (intake->root < 0)
		open_root(intake);
	else if (kd_intake_is_current(intake))
		scan_later(intake, "", KD_SEEN_SCAN);
}

static void
on_event(struct kd_inotify_subscriber *subscriber, const char *folder, const char *name,
	uint32_t mask)
{
	struct kd_intake *intake =
		(struct kd_intake *)((char *)subscriber -
				     offsetof(struct kd_intake, subscriber));
	char path[PATH_MAX];
	if (intake->root < 0)
		return;
	if (folder[0] == '\0' &&
		(mask & (IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT)) != 0) {
		lose_root(intake, "it was removed, moved or unmounted");
		return;
	}
	if (name[0] != '\0' && join(path, folder, name))
		take_entry(intake, path,
			(mask & IN_ISDIR) != 0 &&
				(mask & (IN_MOVED_FROM | IN_DELETE)) == 0,
			(mask & IN_MOVED_TO) != 0 ? KD_SEEN_ARRIVAL : KD_SEEN_EVENT);
}

static void
on_overflow(struct kd_inotify_subscriber *subscriber)
{
	struct kd_intake *intake =
		(struct kd_intake *)((char *)subscriber -
				     offsetof(struct kd_intake, subscriber));
	kd_log(KD_WARNING, "rule '%s': the kernel lost events, scanning again",
		intake->rule->name);
	kd_intake_rescan(intake);
}

static int
look(void *context, const char *path, struct kd_look *seen)
{
	struct kd_intake *intake = context;
	const char *marker =
		intake->rule->ready == KD_READY_MARKER ? intake->rule->marker : NULL;
	if (intake->root < 0)
		return -ENOENT;
	return intake->rule->unit == KILN_DIRECTORY
		       ? kd_look_directory(intake->root, path, marker, seen)
		       : kd_look_file(intake->root, path, seen);
}

static void
settled(void *context, const char *path, const struct kd_look *seen)
{
	struct kd_intake *intake = context;
	if (!kd_ready_is_whole(intake->rule, intake->root, path, seen))
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
	intake->handler.changed(intake->handler.context, intake);
}

struct kd_intake *
kd_intake_new(struct ev_loop *loop, struct kd_inotify *inotify,
	const struct kd_rule *rule, const struct kd_intake_handler *handler)
{
	struct kd_intake *intake = calloc(1, sizeof *intake);
	if (intake == NULL)
		return NULL;
	struct kd_settle_handler settling = {
		.look = look,
		.settled = settled,
		.counted = counted,
		.context = intake,
		.cheap = rule->unit != KILN_DIRECTORY,
	};
	intake->settle = kd_settle_new(loop, rule->settle, &settling);
	if (intake->settle == NULL) {
		free(intake);
		return NULL;
	}
	intake->loop = loop;
	intake->inotify = inotify;
	intake->rule = rule;
	intake->handler = *handler;
	intake->root = -1;
	intake->last = &intake->first;
	intake->subscriber.event = on_event;
	intake->subscriber.overflow = on_overflow;
	kd_inotify_subscribe(inotify, &intake->subscriber);
	ev_idle_init(&intake->scan, scan_slice);
	intake->scan.data = intake;
	ev_timer_init(&intake->again, try_again, RETRY, RETRY);
	intake->again.data = intake;
	intake->state = KD_INTAKE_WAITING;
	open_root(intake);
	intake->ready = 1;
	return intake;
}

void
kd_intake_free(struct kd_intake *intake)
{
	if (intake == NULL)
		return;
	kd_inotify_unsubscribe(intake->inotify, &intake->subscriber);
	forget_scans(intake);
	ev_timer_stop(intake->loop, &intake->again);
	kd_settle_free(intake->settle);
	if (intake->root >= 0)
		close(intake->root);
	free(intake);
}

void
kd_intake_rescan(struct kd_intake *intake)
{
	if (intake->root < 0)
		open_root(intake);
	else
		scan_later(intake, "", KD_SEEN_SCAN);
}

void
kd_intake_touch(struct kd_intake *intake, const char *path)
{
	if (kd_settle_touch(intake->settle, path) < 0)
		kd_log(KD_ERROR, "rule '%s': out of memory, '%s' waits for the next scan",
			intake->rule->name, KD_NAME(path));
}

const struct kd_rule *
kd_intake_rule(const struct kd_intake *intake)
{
	return intake->rule;
}

uint64_t
kd_intake_settling(const struct kd_intake *intake)
{
	return kd_settle_count(intake->settle);
}

int
kd_intake_is_current(const struct kd_intake *intake)
{
	return intake->dir == NULL && intake->first == NULL;
}

enum kd_intake_state
kd_intake_state(const struct kd_intake *intake, const char **why)
{
	*why = intake->why[0] == '\0' ? NULL : intake->why;
	return intake->state;
}
