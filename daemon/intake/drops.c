/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/intake/drops.h"

#include "daemon/intake/families.h"
#include "daemon/intake/look.h"
#include "plugins/kiln_plugin.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

struct kd_drops {
	const struct kd_rule *rule;
	struct kd_root *root;
	struct kd_drops_handler handler;
	struct kd_settle *settle;
	struct kd_families *families; /* of sequences and bundles, in place of settle */
	struct kd_look_walk *walk;    /* of directories */
	uint64_t room;
	int full, missed;
};

static int
look(void *context, const char *path, struct kd_settle_reach *reach, struct kd_look *seen)
{
	struct kd_drops *drops = context;
	const struct kd_rule *rule = drops->rule;
	int root = kd_root_open(drops->root);
	if (root < 0) /* away, or another one: a scan finds what is there then */
		return -ENOENT;
	reach->entries--;
	if (rule->unit != KILN_DIRECTORY)
		return kd_look_file(root, path, seen);
	const struct kd_look_wanted wanted = {
		.root = root,
		.path = path,
		.marker = rule->ready == KD_READY_MARKER ? rule->marker : NULL,
	};
	return kd_look_directory(drops->walk, &wanted, &reach->entries, seen);
}

static void
settled(void *context, const char *path, const struct kd_look *seen)
{
	struct kd_drops *drops = context;
	if (drops->families == NULL &&
		!kd_ready_is_whole(drops->rule, kd_root_open(drops->root), path, seen))
		return;
	struct kd_unit unit = {
		.rule = drops->rule->name,
		.path = (char *)path,
		.kind = drops->rule->unit,
		.identity = seen->identity,
	};
	drops->handler.settled(drops->handler.context, &unit);
}

static void
counted(void *context)
{
	struct kd_drops *drops = context;
	drops->handler.counted(drops->handler.context);
}

static int
build(struct kd_drops *drops, struct ev_loop *loop)
{
	const struct kd_rule *rule = drops->rule;
	const struct kd_settle_handler one = {
		.look = look,
		.settled = settled,
		.counted = counted,
		.context = drops,
		.cheap = rule->unit != KILN_DIRECTORY,
	};
	const struct kd_families_handler several = {
		.settled = settled, .counted = counted, .context = drops};
	if (rule->unit == KILN_SEQUENCE || rule->unit == KILN_BUNDLE) {
		drops->families = kd_families_new(loop, rule, drops->root, &several);
		return drops->families == NULL ? -ENOMEM : 0;
	}
	drops->settle = kd_settle_new(loop, rule->settle, &one);
	drops->walk = kd_look_walk_new();
	return drops->settle == NULL || drops->walk == NULL ? -ENOMEM : 0;
}

struct kd_drops *
kd_drops_new(struct ev_loop *loop, const struct kd_rule *rule, struct kd_root *root,
	const struct kd_drops_handler *handler)
{
	struct kd_drops *drops = calloc(1, sizeof *drops);
	if (drops == NULL)
		return NULL;
	drops->rule = rule;
	drops->root = root;
	drops->handler = *handler;
	drops->room = UINT64_MAX;
	if (build(drops, loop) < 0) {
		kd_drops_free(drops);
		return NULL;
	}
	return drops;
}

void
kd_drops_free(struct kd_drops *drops)
{
	if (drops == NULL)
		return;
	kd_settle_free(drops->settle);
	kd_families_free(drops->families);
	kd_look_walk_free(drops->walk);
	free(drops);
}

static void
fill_up(struct kd_drops *drops)
{
	if (drops->full)
		return;
	drops->full = 1;
	drops->handler.filled(drops->handler.context);
}

/* So many candidates more than `before` take their room. */
static void
spend_room(struct kd_drops *drops, uint64_t before)
{
	uint64_t now = kd_drops_count(drops);
	uint64_t spent = now > before ? now - before : 0;
	drops->room -= spent < drops->room ? spent : drops->room;
	if (drops->room == 0)
		fill_up(drops);
}

static int
act(struct kd_settle *settle, const char *unit, enum kd_ready_act act)
{
	switch (act) {
	case KD_ACT_NOTHING:
		break;
	case KD_ACT_NOTE:
		return kd_settle_note(settle, unit);
	case KD_ACT_TOUCH:
		return kd_settle_touch(settle, unit);
	case KD_ACT_TAKE:
		return kd_settle_take(settle, unit);
	}
	return 0;
}

int
kd_drops_see(struct kd_drops *drops, const char *path,
	const struct kd_filter_verdict *verdict, enum kd_ready_seen seen)
{
	char unit[PATH_MAX];
	uint64_t before = kd_drops_count(drops);
	snprintf(unit, sizeof unit, "%.*s", (int)verdict->unit, path);
	/* The frame that a sequence waits for makes room. */
	if (drops->room == 0 && !kd_drops_waits(drops, path) &&
		(drops->families != NULL || !kd_settle_has(drops->settle, unit))) {
		drops->missed = 1;
		return 0;
	}
	int rc = drops->families != NULL
			 ? kd_families_see(drops->families, path,
				   seen == KD_SEEN_EVENT || seen == KD_SEEN_ARRIVAL)
			 : act(drops->settle, unit,
				   kd_ready_act(drops->rule, kd_root_open(drops->root),
					   path, verdict, seen));
	spend_room(drops, before);
	return rc;
}

int
kd_drops_touch(struct kd_drops *drops, const char *unit)
{
	return drops->families != NULL ? kd_families_touch(drops->families, unit)
				       : kd_settle_touch(drops->settle, unit);
}

void
kd_drops_stop(struct kd_drops *drops)
{
	if (drops->families != NULL)
		kd_families_stop(drops->families);
	else
		kd_look_walk_stop(drops->walk);
}

void
kd_drops_set_room(struct kd_drops *drops, uint64_t room)
{
	const uint32_t backlog = drops->rule->backlog;
	if (drops->full && room < backlog - backlog / 2)
		room = 0;
	drops->room = room;
	if (room == 0)
		fill_up(drops);
	else
		drops->full = 0;
}

int
kd_drops_is_full(const struct kd_drops *drops)
{
	return drops->full;
}

int
kd_drops_has_missed(const struct kd_drops *drops)
{
	return drops->missed;
}

void
kd_drops_forget_missed(struct kd_drops *drops)
{
	drops->missed = 0;
}

uint64_t
kd_drops_count(const struct kd_drops *drops)
{
	return drops->families != NULL ? kd_families_count(drops->families)
				       : kd_settle_count(drops->settle);
}

int
kd_drops_has(const struct kd_drops *drops, const char *path)
{
	return drops->families != NULL ? kd_families_has(drops->families, path)
				       : kd_settle_has(drops->settle, path);
}

int
kd_drops_waits(const struct kd_drops *drops, const char *path)
{
	return drops->families != NULL && kd_families_waits(drops->families, path);
}

uint64_t
kd_drops_waiting(const struct kd_drops *drops)
{
	return drops->families == NULL ? 0 : kd_families_waiting(drops->families);
}
