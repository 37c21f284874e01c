/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * offload.h - a GPU at the evaluator's side: whole chunks of a motion are evaluated there,
 * into planes of the host from which all threads then fill their rows.  It may be lost at
 * any time; the CPU goes on then, with the same bits.
 *
 * One motion after the other has it, on the thread that opened it.
 */
#ifndef FK_OFFLOAD_H
#define FK_OFFLOAD_H

#include "plugins/vmd-fk/evaluate.h"
#include "plugins/vmd-fk/gpu.h"

struct fk_offload {
	const struct fk_evaluator *evaluator;
	struct fk_gpu *gpu; /* owned; NULL: lost */
	int bound;	    /* the motion taken last is there */
	uint32_t parts;	    /* that a chunk may have */
	uint32_t part_room; /* frames of each */
	/* The frames of all parts; part p has part_room of them, from p * part_room on. */
	uint32_t *frames;
	uint32_t part_count;	 /* filled by fk_offload_put() */
	struct fk_planes planes; /* results only, and ik_enabled */
};

struct fk_offload_options {
	const struct fk_device *device;
	uint32_t number;    /* of the GPU */
	uint32_t part_room; /* frames of a part, neighbours included */
	uint32_t chunk;	    /* frames evaluated together; 0: as many as a GPU likes */
	uint64_t budget;    /* bytes for planes here */
};

/* Takes the GPU; the evaluator is borrowed.  0 with *made, or a negative errno with *err.
 * [in open] */
int fk_offload_new(const struct fk_evaluator *evaluator,
	const struct fk_offload_options *options, struct fk_offload **made,
	struct fmt_err *err);
void fk_offload_free(struct fk_offload *offload);

/* The motion that is evaluated from now on.  0, or a negative errno with *err: not this
 * motion (-ENOMEM), or never again. */
int fk_offload_take(
	struct fk_offload *offload, const struct fk_motion *motion, struct fmt_err *err);

/* The next part of the chunk at hand: its frames, ascending, count <= part_room.  Part 0
 * begins a chunk. */
void fk_offload_put(
	struct fk_offload *offload, uint32_t part, const struct fk_piece *piece);

/* Evaluates the parts that were put.  0, or -EIO with *err: the GPU is lost. */
int fk_offload_run(struct fk_offload *offload, struct fmt_err *err);

/* The planes of one part; they are the offload's.  [any thread, after the run] */
struct fk_planes fk_offload_part(const struct fk_offload *offload, uint32_t part);

#endif
