/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/intake/ready.h"

#include "daemon/intake/look.h"
#include "plugins/kiln_plugin.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

/* Whether the unit's marker is there: in a directory, or beside a file. */
static int
is_marked(const struct kd_rule *rule, int root, const char *unit)
{
	char path[PATH_MAX];
	struct kd_look look;
	const char *between = rule->unit == KILN_DIRECTORY ? "/" : "";
	int length = snprintf(path, sizeof path, "%s%s%s", unit, between, rule->marker);
	return length < (int)sizeof path && kd_look_file(root, path, &look) == 0;
}

static enum kd_ready_act
act_on_marker(const struct kd_rule *rule, int root, const char *path,
	const struct kd_filter_verdict *verdict, enum kd_ready_seen seen)
{
	char unit[PATH_MAX];
	int scanned = seen == KD_SEEN_SCAN || seen == KD_SEEN_NEW;
	/* One entry of each unit is enough for a scan, which meets a directory's marker in
	 * the directory and a file's beside it. */
	if (scanned && verdict->marker != (rule->unit == KILN_DIRECTORY))
		return KD_ACT_NOTHING;
	snprintf(unit, sizeof unit, "%.*s", (int)verdict->unit, path);
	if (!is_marked(rule, root, unit))
		return KD_ACT_NOTHING;
	/* What changes below its marker was not whole after all: then quiet decides. */
	return verdict->marker || scanned ? KD_ACT_TAKE : KD_ACT_TOUCH;
}

static enum kd_ready_act
act_on_rename(const char *path, const struct kd_filter_verdict *verdict,
	enum kd_ready_seen seen)
{
	/* What happens in a directory says nothing of the directory. */
	if (path[verdict->unit] != '\0')
		return KD_ACT_NOTHING;
	switch (seen) {
	case KD_SEEN_SCAN:
	case KD_SEEN_ARRIVAL:
		return KD_ACT_TAKE;
	case KD_SEEN_NEW:
		/* It may have been renamed to before its folder was watched. */
		return KD_ACT_NOTE;
	case KD_SEEN_EVENT:
		break;
	}
	return KD_ACT_NOTHING;
}

enum kd_ready_act
kd_ready_act(const struct kd_rule *rule, int root, const char *path,
	const struct kd_filter_verdict *verdict, enum kd_ready_seen seen)
{
	switch (rule->ready) {
	case KD_READY_MARKER:
		return act_on_marker(rule, root, path, verdict, seen);
	case KD_READY_RENAME:
		return act_on_rename(path, verdict, seen);
	case KD_READY_QUIET:
	case KD_READY_COUNT:
		break;
	}
	return seen == KD_SEEN_SCAN || seen == KD_SEEN_NEW ? KD_ACT_NOTE : KD_ACT_TOUCH;
}

int
kd_ready_is_whole(const struct kd_rule *rule, int root, const char *unit,
	const struct kd_look *look)
{
	/* What cannot be looked at is the worker's to refuse. */
	if (look->identity.ino == 0)
		return 1;
	if (rule->ready == KD_READY_MARKER)
		return is_marked(rule, root, unit);
	/* Too many are whole, too, and refused by the worker with a reason. */
	return rule->ready != KD_READY_COUNT || look->files >= rule->count;
}
