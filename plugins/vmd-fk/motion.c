/* SPDX-License-Identifier: BSD-2-Clause */
#include "plugins/vmd-fk/motion.h"

#include "plugins/formats/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Where the two tables of names for one kind of track lie. */
struct name_tables {
	const struct fk_names *raw, *text;
	enum fmt_vmd_encoding fallback;
};

/* How many bytes a text takes in the fallback encoding, about. */
static size_t
raw_length(const char *text, enum fmt_vmd_encoding fallback)
{
	size_t length = 0;
	if (fallback == FMT_VMD_UTF8)
		return strlen(text);
	while (fmt_text_next(&text) != 0)
		length += (unsigned char)text[-1] < 0x80 ? 1 : 2;
	return length;
}

/* A name that fills its 15 bytes, but for a character that was cut, may go on. */
static int64_t
find_text(const struct name_tables *tables, const char *text)
{
	int64_t found = fk_names_find(tables->text, text);
	if (found < 0 && raw_length(text, tables->fallback) >= 13)
		found = fk_names_find_prefix(tables->text, text);
	return found;
}

/* By its bytes; by other bytes for the same characters where nobody has these. */
static int64_t
find_raw(const struct fk_names *raw, const char vmd_name[16])
{
	char folded[16];
	int64_t found = fk_names_find(raw, vmd_name);
	if (found >= 0)
		return found;
	memcpy(folded, vmd_name, sizeof folded);
	fmt_text_fold_name(folded);
	return fk_names_find(raw, folded);
}

/* A number, -1 for nobody, or -ENOMEM (which is not -1). */
static int64_t
find(const struct name_tables *tables, const struct fmt_vmd_track *track)
{
	int64_t found = find_raw(tables->raw, track->vmd_name);
	if (found >= 0 || tables->fallback == FMT_VMD_CP932)
		return found;
	found = find_text(tables, track->name);
	if (found >= 0)
		return found;
	char *name = fmt_text_decode(track->vmd_name, strlen(track->vmd_name),
		tables->fallback == FMT_VMD_GBK ? FMT_TEXT_GBK : FMT_TEXT_UTF8, NULL);
	if (name == NULL)
		return -ENOMEM;
	found = find_text(tables, name);
	free(name);
	return found;
}

/* The planes of a track as the kernels take them. */
static struct kern_track_keys
keys_of(const struct fmt_vmd_track *track)
{
	return (struct kern_track_keys){
		.count = track->count,
		.stride = track->stride,
		.frame = track->frames,
		.move = track->move,
		.rotate = track->rotate,
		.curve = (const uint8_t(*)[4][4])track->curves,
	};
}

static int
bind_bones(struct fk_motion *motion, const struct fk_skeleton *skeleton,
	const struct fmt_vmd *vmd, enum fmt_vmd_encoding fallback)
{
	struct name_tables tables = {
		&skeleton->bone_names, &skeleton->bone_names_utf8, fallback};
	uint8_t *taken = calloc((size_t)skeleton->model.bone_count + 1, 1);
	motion->bones =
		calloc((size_t)skeleton->pose.bone_count + 1, sizeof *motion->bones);
	motion->unmatched_bones =
		calloc((size_t)vmd->bone_count + 1, sizeof *motion->unmatched_bones);
	motion->track_places =
		calloc((size_t)vmd->bone_count + 1, sizeof *motion->track_places);
	int rc = taken == NULL || motion->bones == NULL ||
				 motion->unmatched_bones == NULL ||
				 motion->track_places == NULL
			 ? -ENOMEM
			 : 0;
	for (uint32_t i = 0; rc == 0 && i < vmd->bone_count; i++) {
		const struct fmt_vmd_track *track = &vmd->bones[i];
		int64_t bone = find(&tables, track);
		motion->track_places[i] = -1;
		if (bone < 0 || taken[bone]) {
			rc = bone == -ENOMEM ? -ENOMEM : 0;
			motion->unmatched_bones[motion->unmatched_bone_count++] = i;
			continue;
		}
		taken[bone] = 1;
		motion->matched_bones++;
		if (skeleton->places[bone] < 0)
			continue;
		motion->track_places[i] = skeleton->places[bone];
		motion->bones[skeleton->places[bone]] = keys_of(track);
	}
	free(taken);
	return rc;
}

static int
bind_morphs(struct fk_motion *motion, const struct fk_skeleton *skeleton,
	const struct fmt_vmd *vmd, enum fmt_vmd_encoding fallback)
{
	struct name_tables tables = {
		&skeleton->morph_names, &skeleton->morph_names_utf8, fallback};
	size_t key_count = 0;
	for (uint32_t i = 0; i < vmd->morph_count; i++)
		key_count += vmd->morphs[i].count;
	motion->morphs =
		calloc((size_t)skeleton->morphs.morph_count + 1, sizeof *motion->morphs);
	motion->unmatched_morphs =
		calloc((size_t)vmd->morph_count + 1, sizeof *motion->unmatched_morphs);
	motion->weight_store = calloc(key_count + 1, sizeof *motion->weight_store);
	if (motion->morphs == NULL || motion->unmatched_morphs == NULL ||
		motion->weight_store == NULL)
		return -ENOMEM;
	struct kern_track_weight_key *at = motion->weight_store;
	for (uint32_t i = 0; i < vmd->morph_count; i++) {
		const struct fmt_vmd_track *track = &vmd->morphs[i];
		/* Without a use for morphs there are none to find. */
		int64_t morph =
			skeleton->morphs.morph_count > 0 ? find(&tables, track) : -1;
		if (morph == -ENOMEM)
			return -ENOMEM;
		if (morph < 0 || motion->morphs[morph].keys != NULL) {
			motion->unmatched_morphs[motion->unmatched_morph_count++] = i;
			continue;
		}
		motion->morphs[morph].keys = at;
		motion->morphs[morph].count = track->count;
		motion->matched_morphs++;
		for (uint32_t k = 0; k < track->count; k++) {
			at->frame = track->weights[k].frame;
			at++->weight = track->weights[k].weight;
		}
	}
	return 0;
}

/* A property key names the IK bones it switches; those it does not name stay as they
 * are, and all are on to begin with. */
static int
bind_ik(struct fk_motion *motion, const struct fk_skeleton *skeleton,
	const struct fmt_vmd *vmd)
{
	uint32_t count = skeleton->ik_count;
	size_t cells;
	if (vmd->property_count == 0 || count == 0)
		return 0;
	if (__builtin_mul_overflow((size_t)vmd->property_count, (size_t)count, &cells))
		return -ENOMEM;
	motion->step_frames = calloc(vmd->property_count, sizeof *motion->step_frames);
	motion->step_enabled = malloc(cells);
	if (motion->step_frames == NULL || motion->step_enabled == NULL)
		return -ENOMEM;
	motion->step_count = vmd->property_count;
	for (uint32_t p = 0; p < vmd->property_count; p++) {
		const struct fmt_vmd_property *property = &vmd->properties[p];
		uint8_t *enabled = motion->step_enabled + (size_t)p * count;
		motion->step_frames[p] = property->frame;
		if (p == 0)
			memset(enabled, 1, count);
		else
			memcpy(enabled, enabled - count, count);
		for (uint32_t i = 0; i < property->ik_count; i++) {
			int64_t bone =
				find_raw(&skeleton->bone_names, property->ik[i].vmd_name);
			if (bone >= 0 && skeleton->ik_of[bone] >= 0)
				enabled[skeleton->ik_of[bone]] =
					property->ik[i].enabled != 0;
		}
	}
	return 0;
}

uint32_t
fk_motion_step(const struct fk_motion *motion, uint32_t frame)
{
	uint32_t low = 0, high = motion->step_count;
	while (high > low + 1) {
		uint32_t middle = low + (high - low) / 2;
		if (motion->step_frames[middle] <= frame)
			low = middle;
		else
			high = middle;
	}
	return low;
}

int
fk_motion_bind(struct fk_motion *motion, const struct fk_skeleton *skeleton,
	struct fmt_vmd *vmd, const struct fk_wishes *wishes, struct fmt_err *err)
{
	enum fmt_vmd_encoding fallback = wishes->reading.fallback;
	uint32_t last = vmd->last_frame;
	memset(motion, 0, sizeof *motion);
	motion->body =
		vmd->bone_keys > 0 || vmd->morph_keys > 0 || vmd->camera_count == 0;
	if (!motion->body)
		last = vmd->cameras[vmd->camera_count - 1].frame;
	if (last >= FK_FRAMES_MAX)
		return fmt_err_set(err, -EBADMSG,
			"the last key stands at frame %u; at most %u frames (0..%u) are "
			"evaluated",
			last, FK_FRAMES_MAX, FK_FRAMES_MAX - 1);
	motion->frame_count = last + 1;
	int rc = fk_frames_choose(&motion->frames, &wishes->frames, vmd, last, err);
	rc = rc == 0 ? fk_camera_bind(&motion->camera, vmd) : rc;
	rc = rc == 0 ? bind_bones(motion, skeleton, vmd, fallback) : rc;
	rc = rc == 0 ? bind_morphs(motion, skeleton, vmd, fallback) : rc;
	rc = rc == 0 ? bind_ik(motion, skeleton, vmd) : rc;
	if (rc < 0) {
		fk_motion_free(motion);
		return rc;
	}
	motion->vmd = *vmd;
	memset(vmd, 0, sizeof *vmd);
	return 0;
}

void
fk_motion_free(struct fk_motion *motion)
{
	fk_frames_free(&motion->frames);
	fk_camera_free(&motion->camera);
	free(motion->bones);
	free(motion->morphs);
	free(motion->step_frames);
	free(motion->step_enabled);
	free(motion->unmatched_bones);
	free(motion->unmatched_morphs);
	fmt_vmd_free(&motion->vmd);
	free(motion->weight_store);
	free(motion->track_places);
	memset(motion, 0, sizeof *motion);
}
