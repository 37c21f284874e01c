/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * near.h - "did you mean ...?": the known name nearest to one that is not known.
 */
#ifndef KD_NEAR_H
#define KD_NEAR_H

#include <stddef.h>

struct kd_near {
	const char *wanted;
	const char *best; /* NULL until something is near enough */
	size_t distance;
};

/* Begin with {.wanted = name}, offer every candidate, then ask for the hint. */
void kd_near_offer(struct kd_near *near, const char *candidate);

/* "; did you mean \"best\"?", or "" where nothing is near; into buffer, which it returns.
 */
char *kd_near_hint(const struct kd_near *near, char *buffer, size_t size);
#define KD_NEAR_HINT(near) kd_near_hint((near), (char[120]){0}, 120)

#endif
