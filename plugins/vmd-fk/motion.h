/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * motion.h - a VMD bound to a skeleton: whose keys move which bone and morph, and when
 * which IK is on.
 */
#ifndef FK_MOTION_H
#define FK_MOTION_H

#include "plugins/formats/vmd.h"
#include "plugins/vmd-fk/camera.h"
#include "plugins/vmd-fk/frames.h"
#include "plugins/vmd-fk/keys.h"
#include "plugins/vmd-fk/skeleton.h"

/* More frames than this are refused: 10 million are 92 hours of motion, and a few broken
 * bytes in a key's frame number must not ask for more than a disk. */
#define FK_FRAMES_MAX 10000000u

struct fk_morph_track {
	const struct kern_track_weight_key *keys;
	uint32_t count;
};

struct fk_motion {
	uint32_t frame_count; /* 0 .. last bone or morph key; of a motion for the camera
				 alone, 0 .. last camera key; at least 1 */
	struct fk_frames frames; /* those that are written */
	int body;		 /* 0: the motion is for the camera alone */
	struct fk_camera camera;
	struct kern_track_keys *bones; /* by place */
	struct fk_morph_track *morphs; /* one a morph of skeleton->morphs */
	uint32_t step_count;	       /* IK steps, ascending; 0: all on throughout */
	uint32_t *step_frames;
	uint8_t *step_enabled; /* [step][IK bone of the model] */
	uint32_t matched_bones, matched_morphs;
	/* Tracks that nobody of the model answers to: numbers into the vmd's. */
	uint32_t unmatched_bone_count, unmatched_morph_count;
	uint32_t *unmatched_bones, *unmatched_morphs;
	struct fmt_vmd vmd; /* what bones point into */
	/* Where bone keys stayed in the file: the file, borrowed, and the place of each of
	 * the vmd's tracks, -1 where it has none.  Then bones have no planes. */
	int fd;
	int32_t *track_places;
	struct kern_track_weight_key *weight_store;
};

/* What is wanted of a motion. */
struct fk_wishes {
	struct fmt_vmd_options reading;
	struct fk_frames_rule frames;
};

/*
 * Binds.  Names are compared as a VMD holds them, 15 bytes of cp932.  Where that finds
 * nobody and there is a fallback encoding, they are compared as text too: as the
 * reader took the whole file, and as the fallback has this one name (half the names in
 * GBK happen to be katakana in cp932); a name of full length may be the beginning of one.
 * The first track that finds a bone keeps it.
 *
 * 0, -ENOMEM, or with *err -EBADMSG for a motion that is too long and -EINVAL for one
 * that ends before the frames asked for.  Where it succeeds, *motion
 * takes over what *vmd holds, which then is empty: bones point into it.
 */
int fk_motion_bind(struct fk_motion *motion, const struct fk_skeleton *skeleton,
	struct fmt_vmd *vmd, const struct fk_wishes *wishes, struct fmt_err *err);

/* The last step at or before frame, before the first step the first; 0 where there are
 * none. */
uint32_t fk_motion_step(const struct fk_motion *motion, uint32_t frame);

/* A motion of zeros or one half built is fine. */
void fk_motion_free(struct fk_motion *motion);

#endif
