/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/queue/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const state_names[KD_STATES] = {
	[KD_STATE_READY] = "ready",
	[KD_STATE_RUNNING] = "running",
	[KD_STATE_DEFERRED] = "deferred",
	[KD_STATE_PUBLISHED] = "published",
	[KD_STATE_SKIPPED] = "skipped",
	[KD_STATE_KEPT] = "kept",
	[KD_STATE_FAILED] = "failed",
	[KD_STATE_GONE] = "gone",
	[KD_STATE_CANCELLED] = "cancelled",
};

const char *
kd_unit_state_name(enum kd_state state)
{
	return state_names[state];
}

int
kd_unit_state_parse(const char *name)
{
	for (int i = 0; i < KD_STATES; i++)
		if (strcmp(state_names[i], name) == 0)
			return i;
	return -1;
}

int
kd_unit_is_final(enum kd_state state)
{
	return state >= KD_STATE_PUBLISHED;
}

int
kd_unit_is_disposed(enum kd_state state)
{
	return kd_unit_is_final(state) && state != KD_STATE_GONE &&
	       state != KD_STATE_CANCELLED;
}

struct kd_unit *
kd_unit_new(const char *rule, const char *path, uint32_t kind)
{
	size_t first = strlen(rule) + 1, second = strlen(path) + 1;
	struct kd_unit *unit = calloc(1, sizeof *unit + first + second);
	if (unit == NULL)
		return NULL;
	unit->rule = memcpy(unit->text, rule, first);
	unit->path = memcpy(unit->text + first, path, second);
	unit->kind = kind;
	return unit;
}

void
kd_unit_free(struct kd_unit *unit)
{
	if (unit != NULL)
		free(unit->end);
	free(unit);
}

void
kd_unit_note_end(
	struct kd_unit *unit, enum kd_state state, const char *sha256, const char *reason)
{
	size_t length = reason == NULL ? 0 : strlen(reason);
	struct kd_unit_end *end = malloc(sizeof *end + length + 1);
	if (end != NULL) {
		snprintf(end->sha256, sizeof end->sha256, "%s",
			sha256 == NULL ? "" : sha256);
		memcpy(end->reason, reason == NULL ? "" : reason, length + 1);
	}
	free(unit->end);
	unit->end = end;
	unit->recorded = state;
}

void
kd_unit_forget_end(struct kd_unit *unit)
{
	free(unit->end);
	unit->end = NULL;
	unit->recorded = KD_STATE_READY;
}
