/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ck.h - what checkkern's cases share: random numbers from a seed that is printed and can
 * be given again, memory with guards around it, and TAP.
 *
 * A family of kernels has a check of its meaning, _c against an independent statement in
 * double precision, and judges whatever else its pick() answers for one bit of kern_caps
 * against _c; so a new variant needs no edit here.
 */
#ifndef CK_H
#define CK_H

#include <stddef.h>
#include <stdint.h>

/* Uniform random numbers. */
uint32_t ck_random(uint32_t below);
double ck_uniform(double low, double high);
/* A random rotation: of any size, or now and then tiny, half a turn or none. */
void ck_rotation(float q[4]);

/* count floats, filled with a NaN of a pattern of its own, with guards before and behind;
 * with odd, not aligned to more than a float. */
float *ck_floats(size_t count, int odd);
/* Whether the guards stand, and they are freed. */
int ck_release(float *floats);
/* Whether a float still holds the pattern. */
int ck_is_poison(float value);

/* Remembers the greatest of what it is told; NaN counts as infinite. */
void ck_worst(double *worst, double value);

/* One TAP line: ok where value <= limit. */
void ck_judge(const char *name, double value, double limit);
void ck_true(const char *name, int holds);
void ck_skip(const char *name, const char *reason);

extern const struct ck_cap {
	unsigned bit;
	const char *name;
} ck_caps[];
enum { CK_CAPS = 2 };

/* Seconds of processor time, for --bench. */
double ck_now(void);

void check_trig(void);
void check_curve(void);
void check_track(void);
void check_track_weights(void);
void check_morph(void);
void check_pose(void);
void check_arrays(void);
void check_view(void);
void check_remap(void);
void check_supersample(void);
void check_remap_walk(void);
void bench_track(void);
void bench_track_weights(void);
void bench_morph(void);
void bench_pose(void);
void bench_arrays(void);
void bench_view(void);
void bench_remap(void);

#endif
