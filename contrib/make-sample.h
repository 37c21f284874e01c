/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * make-sample.h - between the parts of make-sample, which writes inputs for the demo, the
 * tests and the benchmarks: a dancer of our own and motions for it.
 *
 * Units are MMD's; left-handed, Y up, the dancer faces -Z and has its left side at +X.
 * Writers go to a FILE and leave errors to its ferror().
 */
#ifndef MAKE_SAMPLE_H
#define MAKE_SAMPLE_H

#include <stdint.h>
#include <stdio.h>

struct sample_bone {
	char name[32], name_en[32]; /* UTF-8 */
	float position[3];
	int parent, tail; /* -1: none */
	int layer;
	unsigned flags; /* enum fmt_bone_flags */
	int append_source;
	float append_ratio;
	float axis[3];
	int ik_target, ik_loops, ik_link_count;
	float ik_limit; /* radians a step */
	int ik_links[2];
	int knee_link; /* the place in ik_links of the knee, -1: none */
};

enum { SAMPLE_BONES_MAX = 96 };

struct sample_dancer {
	int count;
	struct sample_bone bones[SAMPLE_BONES_MAX];
};

/* make-sample-body.c */
void sample_make_dancer(struct sample_dancer *dancer);
int sample_find_bone(const struct sample_dancer *dancer, const char *name);

/* make-sample-pmx.c */
void sample_write_pmx(FILE *file, const struct sample_dancer *dancer);

/* make-sample-vmd.c */
struct sample_key {
	const char *bone; /* UTF-8 */
	uint32_t frame;
	float move[3];
	float rotate[4];
	uint8_t curve[4][4]; /* X Y Z R; x1 y1 x2 y2 */
};
struct sample_switch {
	uint32_t frame;
	int legs_on[2]; /* left, right leg IK */
};
void sample_write_vmd_head(FILE *file, uint32_t key_count);
void sample_write_vmd_key(FILE *file, const struct sample_key *key);
/* Morphs, cameras, lights and shadows are empty. */
void sample_write_vmd_tail(
	FILE *file, const struct sample_switch *switches, uint32_t count);
/* Euler angles in degrees, turned about Z, then X, then Y. */
void sample_euler(const float degrees[3], float rotate[4]);

/* make-sample-dances.c */
void sample_write_waltz(FILE *file); /* dense: every frame keyed, 600 frames */
void sample_write_salute(
	FILE *file); /* sparse, with curves and IK switches, 300 frames */
/* Every bone keyed at frames 0, every, 2 every ... and at the last. */
struct sample_random {
	uint32_t frames, every; /* >= 1 */
	uint64_t seed;
};
void sample_write_random(FILE *file, const struct sample_dancer *dancer,
	const struct sample_random *random);

/* make-sample-pano.c */
/* A compass panorama as a PNG, width x width / 2; 0 or a negative errno. */
int sample_write_pano(FILE *file, uint32_t width);

/* make-sample-bytes.c */
void sample_u8(FILE *file, unsigned value);
void sample_u16(FILE *file, unsigned value);
void sample_u32(FILE *file, uint32_t value);
void sample_f32(FILE *file, float value);
void sample_floats(FILE *file, const float *values, int count);

#endif
