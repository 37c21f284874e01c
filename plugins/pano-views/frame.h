/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * frame.h - one panorama becomes its views.  A thread that reads frames has a bench of its
 * own, whose buffers serve one frame after the other: fresh ones would cost more page
 * faults than the remap costs time.
 */
#ifndef PV_FRAME_H
#define PV_FRAME_H

#include "plugins/pano-views/files.h"
#include "plugins/pano-views/hold.h"
#include "plugins/pano-views/mask.h"
#include "plugins/pano-views/sheet.h"
#include "plugins/pano-views/state.h"

struct pv_crew;
struct pv_desk;

/* What a thread's frames take of the crew's memory: at first nothing. */
struct pv_claim {
	uint64_t bytes;
	enum pv_claim_stage { PV_CLAIM_NONE, PV_CLAIM_BEGUN, PV_CLAIM_WHOLE } stage;
};

struct pv_bench {
	const struct kiln_host *host;
	const struct pv_state *state;
	struct pv_crew *crew;		   /* the unit's, who help with the views */
	struct pv_desk *desk;		   /* the thread's */
	struct kern_remap_picture picture; /* the band, with its margin */
	struct pv_hold band;
	struct pv_bytes file, mask_file;
	struct pv_mask mask;
	int has_mask;	       /* of the frame at hand */
	struct pv_claim claim; /* of the crew's memory */
};

struct pv_frame {
	uint32_t unit;
	const char *name;   /* of the input */
	const char *stem;   /* of the outputs: the name without folders and suffix */
	const char *mask;   /* the input that says what to ignore; NULL: none */
	uint32_t sheet_row; /* from 1 on; 0: it is not on the contact sheet */
	/* Told when it was split: */
	uint32_t width, height; /* of the panorama */
	const char *suffix;	/* of the views, ".jpg"; NULL: the frame was left out */
	int has_mask;
};

/* Borrows crew and desk. */
void pv_bench_init(struct pv_bench *bench, struct pv_crew *crew, struct pv_desk *desk);
void pv_bench_free(struct pv_bench *bench);

/* 0, or a negative errno with *err: -EBADMSG, -ENOTSUP or -EFBIG where the frame is to
 * blame. */
int pv_frame_split(struct pv_bench *bench, struct pv_frame *frame, struct fmt_err *err);

#endif
