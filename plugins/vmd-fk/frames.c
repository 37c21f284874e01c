/* SPDX-License-Identifier: BSD-2-Clause */
#include "plugins/vmd-fk/frames.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Decimal digits only; NULL where there are none or too many. */
static const char *
read_number(const char *text, uint32_t *number)
{
	uint64_t value = 0;
	if (!isdigit((unsigned char)*text))
		return NULL;
	for (; isdigit((unsigned char)*text); text++) {
		value = value * 10 + (uint64_t)(*text - '0');
		if (value > UINT32_MAX)
			return NULL;
	}
	*number = (uint32_t)value;
	return text;
}

int
fk_frames_parse(const char *text, struct fk_frames_rule *rule, struct fmt_err *err)
{
	struct fk_frames_rule made = {.kind = FK_FRAMES_ALL, .step = 1};
	const char *end = NULL;
	if (strcmp(text, "all") == 0) {
		end = "";
	} else if (strcmp(text, "keyed") == 0) {
		made.kind = FK_FRAMES_KEYED;
		end = "";
	} else if (strncmp(text, "every:", 6) == 0) {
		made.kind = FK_FRAMES_EVERY;
		end = read_number(text + 6, &made.step);
	} else {
		made.kind = FK_FRAMES_RANGE;
		end = read_number(text, &made.first);
		end = end != NULL && strncmp(end, "..", 2) == 0
			      ? read_number(end + 2, &made.last)
			      : NULL;
	}
	if (end == NULL || *end != '\0' || made.step == 0 || made.first > made.last)
		return fmt_err_set(err, -EINVAL,
			"frames: expected \"all\", \"keyed\", \"every:N\" with N from 1 "
			"on, or \"A..B\" with A not above B, found \"%.80s\"",
			text);
	*rule = made;
	return 0;
}

static int
by_number(const void *a, const void *b)
{
	uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
	return (left > right) - (left < right);
}

/* Writes the frames of all keys of one kind, or only counts them with to = NULL. */
static size_t
collect_keyed(const struct fmt_vmd *vmd, uint32_t *to)
{
	size_t count = 0;
	for (uint32_t i = 0; i < vmd->bone_count; i++)
		for (uint32_t k = 0; k < vmd->bones[i].count; k++, count++)
			if (to != NULL)
				to[count] = vmd->bones[i].frames[k];
	if (vmd->bone_count > 0)
		return count;
	for (uint32_t i = 0; i < vmd->morph_count; i++)
		for (uint32_t k = 0; k < vmd->morphs[i].count; k++, count++)
			if (to != NULL)
				to[count] = vmd->morphs[i].weights[k].frame;
	if (vmd->morph_count > 0)
		return count;
	for (; count < vmd->camera_count; count++)
		if (to != NULL)
			to[count] = vmd->cameras[count].frame;
	return count;
}

static int
choose_keyed(struct fk_frames *frames, const struct fmt_vmd *vmd, struct fmt_err *err)
{
	size_t all = collect_keyed(vmd, NULL);
	uint32_t *list = calloc(all + 1, sizeof *list);
	if (list == NULL)
		return fmt_err_set(err, -ENOMEM, "no memory for %zu frames", all);
	collect_keyed(vmd, list);
	qsort(list, all, sizeof *list, by_number);
	uint32_t kept = 0;
	for (size_t i = 0; i < all; i++)
		if (kept == 0 || list[kept - 1] != list[i])
			list[kept++] = list[i];
	frames->list = list;
	frames->count = kept > 0 ? kept : 1;
	return 0;
}

int
fk_frames_choose(struct fk_frames *frames, const struct fk_frames_rule *rule,
	const struct fmt_vmd *vmd, uint32_t last, struct fmt_err *err)
{
	*frames = (struct fk_frames){.first = 0, .step = 1};
	switch (rule->kind) {
	case FK_FRAMES_KEYED:
		return choose_keyed(frames, vmd, err);
	case FK_FRAMES_RANGE:
		if (rule->first > last)
			return fmt_err_set(err, -EINVAL,
				"the motion ends at frame %u; frames %u..%u were asked "
				"for",
				last, rule->first, rule->last);
		frames->first = rule->first;
		frames->count = (rule->last < last ? rule->last : last) - rule->first + 1;
		return 0;
	default:
		frames->step = rule->step;
		frames->count = last / rule->step + 1;
		return 0;
	}
}

void
fk_frames_free(struct fk_frames *frames)
{
	free(frames->list);
	memset(frames, 0, sizeof *frames);
}

int
fk_run_init(struct fk_run *run, uint32_t room, int neighbours)
{
	memset(run, 0, sizeof *run);
	run->room = room;
	run->neighbours = neighbours;
	run->evaluated = calloc((size_t)room * 4, sizeof *run->evaluated);
	if (run->evaluated == NULL)
		return -ENOMEM;
	run->at = run->evaluated + room;
	run->before = run->at + room;
	run->after = run->before + room;
	return 0;
}

void
fk_run_free(struct fk_run *run)
{
	free(run->evaluated);
	memset(run, 0, sizeof *run);
}

/* Appends a frame unless it stands at the end already; nobody asks for earlier ones. */
static void
evaluate_too(struct fk_run *run, uint32_t frame)
{
	if (run->evaluated_count == 0 || run->evaluated[run->evaluated_count - 1] < frame)
		run->evaluated[run->evaluated_count++] = frame;
}

uint32_t
fk_run_capacity(const struct fk_run *run, const struct fk_frames *frames)
{
	if (!run->neighbours)
		return run->room;
	/* Frames in a row are each other's neighbours. */
	return frames->list == NULL && frames->step == 1 ? run->room - 2 : run->room / 3;
}

void
fk_run_fill(struct fk_run *run, const struct fk_frames *frames,
	const struct fk_run_span *span)
{
	run->written = run->evaluated_count = 0;
	for (uint32_t n = 0; n < span->count; n++) {
		uint32_t frame = fk_frames_at(frames, span->from + n);
		int has_before = run->neighbours && frame > 0;
		int has_after = run->neighbours && frame < span->last;
		if (has_before)
			evaluate_too(run, frame - 1);
		evaluate_too(run, frame);
		if (has_after)
			evaluate_too(run, frame + 1);
		/* The neighbours stand side by side: whatever was there before ends at
		 * this frame at the latest. */
		run->at[n] = run->evaluated_count - 1 - (uint32_t)has_after;
		run->before[n] = run->at[n] - (uint32_t)has_before;
		run->after[n] = run->at[n] + (uint32_t)has_after;
		run->written++;
	}
}
