/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * device.h - what is asked of a GPU, as a table: memory, copies, an order of work, and the
 * kernels.  CUDA's is fk_device_cuda; tests put an imitation in its place, whose memory is
 * the host's and whose kernels are the same lines compiled for the CPU.
 *
 * All of it belongs to the thread that called open().  Errors: -ENODEV, -ENOMEM where
 * there is too little memory on the device, -EIO for all else; after -EIO the device is
 * not asked again.
 */
#ifndef FK_DEVICE_H
#define FK_DEVICE_H

#include "kernels/morph_walk.h"
#include "kernels/pose_walk.h"
#include "kernels/track_table.h"

#include <stddef.h>
#include <stdint.h>

/* Rows of bytes, some distance apart at either end. */
struct fk_device_rows {
	void *to;
	const void *from;
	size_t to_pitch, from_pitch, width, rows;
};

struct fk_device {
	const char *name; /* of the variant */
	/* Takes the GPU of that number.  0, or a negative errno and why, a sentence without
	 * its end. */
	int (*open)(uint32_t number, char *why, size_t size);
	/* Device memory; aligned for anything. */
	int (*reserve)(size_t bytes, void **room);
	void (*release)(void *room); /* NULL: nothing */
	/* Lets the device reach memory of the host by itself; where it cannot, copies are
	 * slower, that is all.  0 or a negative errno, then without unpin(). */
	int (*pin)(void *memory, size_t bytes);
	void (*unpin)(void *memory);
	/* An order of work: what is given one stream happens one after the other, what is
	 * given two may happen together.  Copies and kernels only begin; wait() is for
	 * their end and tells whether all went well. */
	int (*stream_new)(void **stream);
	void (*stream_free)(void *stream); /* NULL: nothing; waits */
	int (*copy_in)(const struct fk_device_rows *rows, void *stream);
	int (*copy_out)(const struct fk_device_rows *rows, void *stream);
	int (*wait)(void *stream);
	kern_track_table_fn *tracks;
	kern_track_weight_table_fn *weights;
	kern_morph_walk_fn *morphs;
	kern_pose_walk_fn *poses;
};

/* Only where it was built with nvcc. */
extern const struct fk_device fk_device_cuda;

#endif
