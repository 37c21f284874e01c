/* SPDX-License-Identifier: BSD-2-Clause */
/* From parameters to what they mean.  The host has checked types, ranges and choices;
 * here are the texts that have a shape of their own. */
#include "plugins/vmd-fk/state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* One MMD unit in metres, by the convention that a model of 20 units is 1.6 m tall. */
#define METRES 0.08f

static enum fmt_vmd_encoding
encoding_of(const char *name)
{
	if (strcmp(name, "gbk") == 0)
		return FMT_VMD_GBK;
	return strcmp(name, "utf-8") == 0 ? FMT_VMD_UTF8 : FMT_VMD_CP932;
}

static enum fmt_npz_compression
compression_of(const char *name)
{
	if (strcmp(name, "none") == 0)
		return FMT_NPZ_NONE;
	return strcmp(name, "small") == 0 ? FMT_NPZ_SMALL : FMT_NPZ_FAST;
}

static enum fk_quaternion_space
quaternion_space_of(const char *name)
{
	if (strcmp(name, "both") == 0)
		return FK_BOTH;
	return strcmp(name, "world") == 0 ? FK_WORLD : FK_LOCAL;
}

/* A JSON value: "auto" or a number. */
static int
parse_chunk(const char *text, uint32_t *chunk, struct fmt_err *err)
{
	char *end;
	if (strcmp(text, "auto") == 0 || strcmp(text, "\"auto\"") == 0) {
		*chunk = 0;
		return 0;
	}
	errno = 0;
	long number = strtol(text, &end, 10);
	if (end == text || *end != '\0' || errno != 0 || number < 1 ||
		number > FK_CHUNK_MAX)
		return fmt_err_set(err, -EINVAL,
			"chunk: expected \"auto\" or a whole number of 1..%d frames, "
			"found %.80s",
			FK_CHUNK_MAX, text);
	*chunk = (uint32_t)number;
	return 0;
}

int
fk_state_parse(
	struct fk_state *state, const struct kiln_params *params, struct fmt_err *err)
{
	const struct kiln_value *const *values = params->values;
	state->preview = values[FK_PREVIEW]->integer != 0;
	state->wishes.reading.fallback = encoding_of(values[FK_ENCODING]->text);
	state->wishes.reading.strict = values[FK_STRICT]->integer != 0;
	state->layout = (struct fk_layout){
		.scale = strcmp(values[FK_SPACE]->text, "meters") == 0 ? METRES : 1.0f,
		.w_first = strcmp(values[FK_QUATERNION_ORDER]->text, "wxyz") == 0,
		.space = quaternion_space_of(values[FK_QUATERNION_SPACE]->text),
		.velocities = values[FK_VELOCITIES]->integer != 0,
		.morph_weights = values[FK_MORPH_WEIGHTS]->integer != 0,
		.ik_enabled = values[FK_IK_ENABLED]->integer != 0,
		.compression = compression_of(values[FK_COMPRESSION]->text),
	};
	int rc = fk_frames_parse(values[FK_FRAMES]->text, &state->wishes.frames, err);
	return rc == 0 ? parse_chunk(values[FK_CHUNK]->text, &state->chunk, err) : rc;
}
