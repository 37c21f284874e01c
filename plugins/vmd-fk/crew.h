/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * crew.h - the threads that evaluate and what each of them works in, made once and as
 * large as memory allows.
 */
#ifndef FK_CREW_H
#define FK_CREW_H

#include "plugins/formats/team.h"
#include "plugins/vmd-fk/evaluate.h"
#include "plugins/vmd-fk/team.h"

struct fk_worker {
	struct fk_planes planes;
	struct fk_run run;	 /* of as many frames */
	double arithmetic, busy; /* seconds, since somebody set them to 0 */
};

struct fk_crew {
	struct fk_team *team;
	uint32_t threads;
	struct fk_worker *workers; /* one a thread */
	uint32_t chunk;		   /* how many frames are written at once, about */
};

/* What is wanted.  Where memory is short, less is made of it. */
struct fk_crew_options {
	uint32_t threads; /* >= 1 */
	uint32_t chunk;	  /* 0: automatic */
	int neighbours;	  /* of the frames are evaluated, too */
	size_t row_bytes; /* of all arrays together */
	uint64_t budget;  /* bytes, of which planes and rows each take an eighth */
};

/*
 * Frames are halved, down to one (three with neighbours), until the budget holds them and
 * the system grants them; then threads.  *less says whether that was necessary.  0 or
 * -ENOMEM.
 */
int fk_crew_init(struct fk_crew *crew, const struct fk_evaluator *evaluator,
	const struct fk_crew_options *options, int *less);
/* All of the crew, or its caller alone, as readers and writers of files take help; lives as
 * long as the crew. */
struct fmt_team fk_crew_team(const struct fk_crew *crew, int together);
/* A crew of zeros is fine. */
void fk_crew_free(struct fk_crew *crew);

#endif
