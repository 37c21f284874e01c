/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Most sections are in order already, which one look finds out.  Else the order is sorted
 * once, and every plane is brought into it.
 */
#include "plugins/formats/vmd_sort.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static uint32_t
frame_of(const void *items, uint32_t i, size_t size)
{
	uint32_t frame;
	memcpy(&frame, (const char *)items + i * size, sizeof frame);
	return frame;
}

static int
compare_u64(const void *a, const void *b)
{
	uint64_t x, y;
	memcpy(&x, a, sizeof x);
	memcpy(&y, b, sizeof y);
	return (x > y) - (x < y);
}

/* In what order count items, each beginning with its frame, stand by frame: their places
 * now in the low halves.  NULL with *sorted: as they are; else NULL: no memory. */
static uint64_t *
order_of(const void *items, uint32_t count, size_t size, int *sorted)
{
	uint32_t checked = 1;
	while (checked < count &&
		frame_of(items, checked - 1, size) <= frame_of(items, checked, size))
		checked++;
	*sorted = checked >= count;
	if (*sorted)
		return NULL;
	uint64_t *order = calloc(count, sizeof *order);
	if (order == NULL)
		return NULL;
	/* The place in the file is the low half of the sort key: that makes it stable. */
	for (uint32_t i = 0; i < count; i++)
		order[i] = (uint64_t)frame_of(items, i, size) << 32 | i;
	qsort(order, count, sizeof *order, compare_u64);
	return order;
}

static int
reorder(void *items, uint32_t count, size_t size, const uint64_t *order)
{
	char *copy = calloc(count, size);
	if (copy == NULL)
		return -ENOMEM;
	memcpy(copy, items, count * size);
	for (uint32_t i = 0; i < count; i++)
		memcpy((char *)items + i * size, copy + (uint32_t)order[i] * size, size);
	free(copy);
	return 0;
}

int
fmt_vmd_sort(void *items, uint32_t count, size_t size)
{
	int sorted;
	uint64_t *order = order_of(items, count, size, &sorted);
	if (order == NULL)
		return sorted ? 0 : -ENOMEM;
	int rc = reorder(items, count, size, order);
	free(order);
	return rc;
}

/* Planes of move, then of rotate. */
static float *
plane_of(const struct fmt_vmd_track *track, unsigned plane)
{
	return plane < 3 ? track->move + (size_t)plane * track->stride
			 : track->rotate + (size_t)(plane - 3) * track->stride;
}

static void
drop_bone_duplicates(struct fmt_vmd_track *track)
{
	uint32_t kept = 0;
	for (uint32_t i = 0; i < track->count; i++) {
		if (kept > 0 && track->frames[kept - 1] == track->frames[i])
			kept--;
		if (kept != i) {
			track->frames[kept] = track->frames[i];
			memcpy(track->curves[kept], track->curves[i],
				sizeof *track->curves);
			for (unsigned plane = 0; plane < 7; plane++)
				plane_of(track, plane)[kept] = plane_of(track, plane)[i];
		}
		kept++;
	}
	track->count = kept;
}

int
fmt_vmd_sort_bone(struct fmt_vmd_track *track, uint32_t *dropped)
{
	uint32_t count = track->count;
	int sorted, rc = 0;
	uint64_t *order = order_of(track->frames, count, sizeof *track->frames, &sorted);
	if (order == NULL && !sorted)
		return -ENOMEM;
	if (order != NULL) {
		rc = reorder(track->frames, count, sizeof *track->frames, order);
		if (rc == 0)
			rc = reorder(track->curves, count, sizeof *track->curves, order);
		for (unsigned plane = 0; plane < 7 && rc == 0; plane++)
			rc = reorder(plane_of(track, plane), count, sizeof(float), order);
	}
	free(order);
	if (rc < 0)
		return rc;
	drop_bone_duplicates(track);
	*dropped += count - track->count;
	return 0;
}

int
fmt_vmd_sort_morph(struct fmt_vmd_track *track, uint32_t *dropped)
{
	uint32_t kept = 0, count = track->count;
	int rc = fmt_vmd_sort(track->weights, count, sizeof *track->weights);
	if (rc < 0)
		return rc;
	for (uint32_t i = 0; i < count; i++) {
		if (kept > 0 && track->weights[kept - 1].frame == track->weights[i].frame)
			kept--;
		track->weights[kept++] = track->weights[i];
	}
	track->count = kept;
	*dropped += count - kept;
	return 0;
}
