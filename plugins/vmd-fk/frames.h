/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * frames.h - which frames of a motion are written, and which are evaluated together for
 * them.
 */
#ifndef FK_FRAMES_H
#define FK_FRAMES_H

#include "plugins/formats/vmd.h"

#include <stdint.h>

enum fk_frames_kind { FK_FRAMES_ALL, FK_FRAMES_KEYED, FK_FRAMES_EVERY, FK_FRAMES_RANGE };

/* The parameter. */
struct fk_frames_rule {
	enum fk_frames_kind kind;
	uint32_t step;	      /* EVERY: 1 and more */
	uint32_t first, last; /* RANGE: both are written, first <= last */
};

/* "all", "keyed", "every:N" or "A..B".  0, or -EINVAL with *err. */
int fk_frames_parse(const char *text, struct fk_frames_rule *rule, struct fmt_err *err);

/* The frames of one motion, ascending. */
struct fk_frames {
	uint32_t count; /* at least 1 */
	uint32_t first, step;
	uint32_t *list; /* owned; NULL: first, first + step, ... */
};

/*
 * Those of a motion of frames 0 .. last.  Keyed are the frames of bone keys, whether or
 * not the model has the bone; where there are none, of morph keys; where there are none
 * either, of camera keys; else frame 0.  A range ends where the motion ends.  0, -ENOMEM,
 * or -EINVAL where a range begins behind the motion's end.
 */
int fk_frames_choose(struct fk_frames *frames, const struct fk_frames_rule *rule,
	const struct fmt_vmd *vmd, uint32_t last, struct fmt_err *err);
void fk_frames_free(struct fk_frames *frames);

static inline uint32_t
fk_frames_at(const struct fk_frames *frames, uint32_t i)
{
	return frames->list != NULL ? frames->list[i] : frames->first + i * frames->step;
}

/* Frames that are evaluated together, with what is written of them: the i-th written one
 * is evaluated[at[i]], its neighbours in time, where asked for and where the motion has
 * them, are evaluated[before[i]] and evaluated[after[i]] (itself where not). */
struct fk_run {
	uint32_t written, evaluated_count;
	uint32_t *evaluated, *at, *before, *after; /* room for `room` each */
	uint32_t room;				   /* at least 3 with neighbours */
	int neighbours;
};

/* 0 or -ENOMEM. */
int fk_run_init(struct fk_run *run, uint32_t room, int neighbours);
void fk_run_free(struct fk_run *run);

/* How many of the frames a run takes, wherever it begins: at least 1. */
uint32_t fk_run_capacity(const struct fk_run *run, const struct fk_frames *frames);

/* Which frames a run takes of a motion that ends at frame `last`: those from number
 * `from` on, count <= capacity of them. */
struct fk_run_span {
	uint32_t from, count, last;
};
void fk_run_fill(struct fk_run *run, const struct fk_frames *frames,
	const struct fk_run_span *span);

#endif
