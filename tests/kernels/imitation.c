/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/kernels/imitation.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct imitation imitation;

/* Before a room stands its size. */
enum { LEAD = 64 };

static int
imitation_open(uint32_t number, char *why, size_t size)
{
	if (!imitation.fail_open && number == 0)
		return 0;
	snprintf(why, size, "there is no GPU %u in this imitation", number);
	return -ENODEV;
}

/* Filled with bytes that are no number worth having. */
static int
imitation_reserve(size_t bytes, void **room)
{
	if (imitation.memory > 0 && imitation.reserved + bytes > imitation.memory) {
		imitation.refusals++;
		return -ENOMEM;
	}
	char *made = malloc(LEAD + bytes);
	if (made == NULL)
		return -ENOMEM;
	memset(made, 0xff, LEAD + bytes);
	memcpy(made, &bytes, sizeof bytes);
	imitation.reserved += bytes;
	if (imitation.most_reserved < imitation.reserved)
		imitation.most_reserved = imitation.reserved;
	imitation.rooms++;
	*room = made + LEAD;
	return 0;
}

static void
imitation_release(void *room)
{
	size_t bytes;
	if (room == NULL)
		return;
	memcpy(&bytes, (char *)room - LEAD, sizeof bytes);
	imitation.reserved -= bytes;
	imitation.rooms--;
	free((char *)room - LEAD);
}

static int
imitation_pin(void *memory, size_t bytes)
{
	(void)memory, (void)bytes;
	imitation.pinned++;
	return 0;
}

static void
imitation_unpin(void *memory)
{
	(void)memory;
	imitation.pinned--;
}

static int
imitation_stream_new(void **stream)
{
	imitation.streams++;
	*stream = malloc(1);
	return *stream == NULL ? -ENOMEM : 0;
}

static void
imitation_stream_free(void *stream)
{
	imitation.streams -= stream != NULL;
	free(stream);
}

static int
imitation_copy(const struct fk_device_rows *rows, void *stream)
{
	(void)stream;
	for (size_t i = 0; i < rows->rows && rows->width > 0; i++)
		memcpy((char *)rows->to + i * rows->to_pitch,
			(const char *)rows->from + i * rows->from_pitch, rows->width);
	return 0;
}

static int
imitation_wait(void *stream)
{
	(void)stream;
	return ++imitation.waits == imitation.fail_wait ? -EIO : 0;
}

static int
launch(void)
{
	return ++imitation.launches == imitation.fail_launch ? -EIO : 0;
}

static int
imitation_tracks(const struct kern_track_table *a, void *stream)
{
	(void)stream;
	for (uint32_t b = 0; b < a->bone_count; b++)
		for (uint32_t f = 0; f < a->frame_count; f++)
			kern_track_table_sample(a, b, f);
	return launch();
}

static int
imitation_weights(const struct kern_track_weight_table *a, void *stream)
{
	(void)stream;
	for (uint32_t m = 0; m < a->morph_count; m++)
		for (uint32_t f = 0; f < a->frame_count; f++)
			kern_track_table_weigh(a, m, f);
	return launch();
}

static int
imitation_morphs(const struct kern_morph_walk *a, void *stream)
{
	(void)stream;
	for (uint32_t f = 0; f < a->frame_count; f++)
		kern_morph_walk_frame(a, f);
	return launch();
}

/* From the last frame to the first: threads have no order. */
static int
imitation_poses(const struct kern_pose_walk *a, void *stream)
{
	(void)stream;
	for (uint32_t f = a->frame_count; f-- > 0;)
		kern_pose_walk_frame(a, f);
	if (imitation.wrong && a->frame_count > 0) {
		uint32_t bits;
		memcpy(&bits, a->position, sizeof bits);
		bits ^= 1;
		memcpy(a->position, &bits, sizeof bits);
	}
	return launch();
}

const struct fk_device imitation_device = {
	.name = "imitation",
	.open = imitation_open,
	.reserve = imitation_reserve,
	.release = imitation_release,
	.pin = imitation_pin,
	.unpin = imitation_unpin,
	.stream_new = imitation_stream_new,
	.stream_free = imitation_stream_free,
	.copy_in = imitation_copy,
	.copy_out = imitation_copy,
	.wait = imitation_wait,
	.tracks = imitation_tracks,
	.weights = imitation_weights,
	.morphs = imitation_morphs,
	.poses = imitation_poses,
};
