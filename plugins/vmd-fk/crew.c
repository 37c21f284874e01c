/* SPDX-License-Identifier: BSD-2-Clause */
#include "plugins/vmd-fk/crew.h"

#include <errno.h>
#include <stdlib.h>

/* Parts of a chunk that each of several threads has before they wait for one another:
 * enough that waking them costs little beside. */
#define PARTS_TOGETHER 8

static void
free_workers(struct fk_crew *crew)
{
	for (uint32_t i = 0; crew->workers != NULL && i < crew->threads; i++) {
		fk_planes_free(&crew->workers[i].planes);
		fk_run_free(&crew->workers[i].run);
	}
	free(crew->workers);
	crew->workers = NULL;
}

static int
make_workers(struct fk_crew *crew, const struct fk_evaluator *evaluator, uint32_t room,
	int neighbours)
{
	crew->workers = calloc(crew->threads, sizeof *crew->workers);
	int rc = crew->workers == NULL ? -ENOMEM : 0;
	for (uint32_t i = 0; rc == 0 && i < crew->threads; i++) {
		rc = fk_planes_init(&crew->workers[i].planes, evaluator, room);
		if (rc == 0)
			rc = fk_run_init(&crew->workers[i].run, room, neighbours);
	}
	if (rc < 0)
		free_workers(crew);
	return rc;
}

/* Halves *frames, but not below `least`.  Whether there was anything to halve. */
static int
halve(uint32_t *frames, uint32_t least)
{
	if (*frames <= least)
		return 0;
	*frames = *frames / 2 < least ? least : *frames / 2;
	return 1;
}

int
fk_crew_init(struct fk_crew *crew, const struct fk_evaluator *evaluator,
	const struct fk_crew_options *options, int *less)
{
	uint64_t share = options->budget / 8;
	size_t frame = fk_planes_frame_bytes(evaluator) + 1;
	uint32_t least = options->neighbours ? 3 : 1, room = FK_PLANES_ROOM;
	*crew = (struct fk_crew){.threads = options->threads, .chunk = options->chunk};
	*less = 0;
	if (crew->chunk == 0)
		crew->chunk = options->threads > 1
				      ? FK_PLANES_ROOM * PARTS_TOGETHER * options->threads
				      : FK_PLANES_ROOM;
	if (room > crew->chunk)
		room = crew->chunk < least ? least : crew->chunk;
	while (frame > share / room / crew->threads && halve(&room, least))
		*less = 1;
	while (options->row_bytes > share / crew->chunk && halve(&crew->chunk, 1))
		*less = 1;
	int rc;
	while ((rc = make_workers(crew, evaluator, room, options->neighbours)) < 0) {
		*less = 1;
		if (!halve(&room, least) && !halve(&crew->threads, 1))
			return rc;
	}
	rc = fk_team_new(crew->threads, &crew->team);
	if (rc < 0)
		fk_crew_free(crew);
	return rc;
}

static int
run_team(void *team, int (*fn)(void *context, uint32_t part, uint32_t worker),
	void *context, uint32_t parts)
{
	return fk_team_run(team, fn, context, parts);
}

struct fmt_team
fk_crew_team(const struct fk_crew *crew, int together)
{
	return (struct fmt_team){run_team, crew->team, together ? crew->threads : 1};
}

void
fk_crew_free(struct fk_crew *crew)
{
	fk_team_free(crew->team);
	free_workers(crew);
	*crew = (struct fk_crew){0};
}
