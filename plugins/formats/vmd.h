/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vmd.h - MMD motion files: "Vocaloid Motion Data 0002" (20-byte model name) and
 * "Vocaloid Motion Data file" (10 bytes).  Little-endian, 30 frames a second.
 *
 * Keys come back grouped by name into tracks, each sorted by frame; of two keys of one
 * track at one frame the later in the file counts.  Arrays belong to the motion and go
 * with fmt_vmd_free().
 *
 * Sections from the morphs on may be missing; that is legal.  A section whose count needs
 * more bytes than the file has left is a file cut short: its whole keys are kept and
 * `truncated` says what is missing, unless options.strict.  But a count that needs more
 * than 1 GiB is not believed: the file is refused as corrupt.  So is one that ends before
 * its bones, and one with a NaN or infinite position, rotation or weight.
 */
#ifndef FMT_VMD_H
#define FMT_VMD_H

#include "plugins/formats/err.h"
#include "plugins/formats/team.h"

#include <stddef.h>
#include <stdint.h>

enum fmt_vmd_channel { FMT_VMD_X, FMT_VMD_Y, FMT_VMD_Z, FMT_VMD_R, FMT_VMD_CHANNELS };

struct fmt_vmd_weight {
	uint32_t frame;
	float weight;
};

/*
 * One bone's or morph's keys; vmd_name is the raw cp932 name, NUL-padded.  It is empty
 * where the writer had a name without cp932 form: such a track fits no bone.  Where the
 * fallback encoding was chosen (see the options) it is the cp932 form of `name` instead.
 *
 * A bone's keys are planes of keys: component c of key k is at [c * stride + k].  A curve
 * belongs to the segment that ENDS at its key: x1 y1 x2 y2 of 0..127 for each channel,
 * from bytes 16c, 16c+4, 16c+8, 16c+12 of the key's 64.  No segment ends at the first key,
 * and between keys at neighbouring frames lies nothing: their curves may be zeros.
 * Motions that were baked have no others, so such tracks share frames and curves.
 */
struct fmt_vmd_track {
	char vmd_name[16];
	char *name; /* UTF-8, as the chosen encoding reads it, for messages */
	uint32_t count;
	uint32_t stride;  /* of the planes, >= count */
	uint32_t *frames; /* ascending */
	float *move;	  /* 3 planes */
	float *rotate; /* 4 planes, x y z w, unit length; all zero has become identity */
	/* Both NULL, and stride 0, where the motion's keys stayed in the file. */
	uint8_t (*curves)[FMT_VMD_CHANNELS][4]; /* by key */
	struct fmt_vmd_weight *weights; /* of a morph; then there is none of the above */
	uint8_t shares_frames, shares_keys; /* with other tracks: not its own to free */
};

struct fmt_vmd_ik {
	char vmd_name[16];
	uint8_t enabled;
};

/* A property key: a step function. */
struct fmt_vmd_property {
	uint32_t frame;
	uint8_t visible;
	uint32_t ik_count;
	struct fmt_vmd_ik *ik;
};

struct fmt_vmd_camera {
	uint32_t frame;
	float distance, move[3], rotate[3];
	uint8_t curve[6][4]; /* X Y Z rotation distance angle; each x1 x2 y1 y2 */
	uint32_t angle;	     /* degrees */
	uint8_t perspective_off;
};

enum fmt_vmd_encoding { FMT_VMD_CP932, FMT_VMD_GBK, FMT_VMD_UTF8 };

struct fmt_vmd_options {
	/* For files whose names are not cp932.  One encoding is chosen for a whole file:
	 * UTF-8 when every name is well-formed in it, GBK when fewer names are wrong in
	 * it than in cp932.  FMT_VMD_CP932: no fallback. */
	enum fmt_vmd_encoding fallback;
	int strict; /* a file that ends inside a section is refused; else what is whole
		       counts */
	/* Of a file: bone keys of so many bytes or more stay there, where they are those of
	 * a baked motion (vmd_baked.h); 0: none do. */
	size_t stay_from;
	const struct fmt_team *team; /* that helps to find that out; NULL: nobody */
};

/* Where bone keys stayed in the file: every track has one at each of the frames
 * first_frame .. first_frame + frames - 1. */
struct fmt_vmd_baked {
	uint64_t at;	      /* of the first, in the file */
	uint32_t first_frame; /* with frames = 0: all keys are in memory */
	uint32_t frames;
};

struct fmt_vmd {
	char *model_name; /* UTF-8 */
	uint32_t bone_count, morph_count, property_count, camera_count, light_count,
		shadow_count;
	struct fmt_vmd_track *bones; /* in order of first appearance */
	struct fmt_vmd_track *morphs;
	struct fmt_vmd_property *properties; /* sorted by frame */
	struct fmt_vmd_camera *cameras;	     /* sorted by frame */
	uint32_t last_frame; /* of bone and morph keys; 0 when there are none */
	uint32_t bone_keys, morph_keys; /* as the file holds them */
	uint32_t duplicate_keys;	/* dropped: same name and frame as a later one */
	struct fmt_vmd_baked baked;
	char truncated[256]; /* "" or what is missing, a sentence for a warning */
	/* What tracks have parts of: keys, frames, curves. */
	void *bone_memory[3], *morph_memory[3];
};

/* 0 or a negative errno with *err; *motion is untouched on failure.  NULL options: cp932,
 * not strict. */
int fmt_vmd_read(const void *bytes, size_t length, const struct fmt_vmd_options *options,
	struct fmt_vmd *motion, struct fmt_err *err);

/* The same from a regular file of length bytes, from fd's offset on, which is read in
 * pieces, and once but for keys that shall stay there.  Also what read(2) says, and -EAGAIN
 * where the file is shorter or longer than that by now. */
int fmt_vmd_read_file(int fd, size_t length, const struct fmt_vmd_options *options,
	struct fmt_vmd *motion, struct fmt_err *err);

void fmt_vmd_free(struct fmt_vmd *motion);

#endif
