/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * crew.h - who of a unit's threads does what.  As long as there are frames that nobody has
 * taken, each thread takes one; whoever finds none left makes views of the others' frames.
 * So a single frame, and the last ones, use all threads.  What is made does not depend on
 * who makes it.
 */
#ifndef PV_CREW_H
#define PV_CREW_H

#include "plugins/pano-views/lot.h"

#include <pthread.h>

/* A frame whose views are being made. */
struct pv_share;

struct pv_crew {
	pthread_mutex_t
		lock; /* for all below; a thread that holds it may call the host */
	pthread_cond_t changed;
	uint32_t threads, frames_most; /* that may be under way at once */
	uint32_t next, count;	       /* frames, taken and in all */
	uint32_t under_way;
	uint32_t lot_most; /* views of a lot; pv_crew_init() says PV_LOT_MOST */
	uint64_t memory;   /* that frames may hold together; pv_crew_init(): any */
	uint64_t held;
	uint32_t begun, whole; /* frames that hold something, and all they need */
	int stopped;	       /* nothing new is begun */
	struct pv_share *shares;
};

/* What a thread is to do next: a frame, or a lot of somebody else's. */
struct pv_work {
	uint32_t frame; /* its number, where share is NULL */
	struct pv_share *share;
	struct pv_lot lot;
};

/* threads and frames_most are at least 1. */
void pv_crew_init(
	struct pv_crew *crew, uint32_t threads, uint32_t frames_most, uint32_t frames);
void pv_crew_free(struct pv_crew *crew);

/* Waits for something to do; 0: nothing is left.  A frame has to be ended, a lot to be
 * done. */
int pv_crew_next(struct pv_crew *crew, struct pv_work *work);
void pv_crew_end_frame(struct pv_crew *crew, int stop);
void pv_crew_do_lot(struct pv_crew *crew, struct pv_desk *desk, struct pv_work *work);

/* Has a frame, begun or now whole, hold so many bytes in all.  Makes views of others'
 * frames, and waits, until they fit (of a frame begun, with room to grow), or nobody holds
 * all that he needs: so one frame goes on always, however large it is. */
void pv_crew_claim(struct pv_crew *crew, struct pv_desk *desk, struct pv_claim *claim,
	const struct pv_claim *wanted);
/* The frame is done; so many bytes are kept for the thread's next one. */
void pv_crew_keep(struct pv_crew *crew, struct pv_claim *claim, uint64_t bytes);

/* Has all views of the source made, by the caller and whoever is free.  0 or a negative
 * errno with *err, when nobody is at them any more. */
int pv_crew_split(struct pv_crew *crew, struct pv_desk *desk,
	const struct pv_source *source, struct fmt_err *err);

#endif
