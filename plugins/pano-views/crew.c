/* SPDX-License-Identifier: BSD-2-Clause */
#include "plugins/pano-views/crew.h"

/* It lies on the stack of the thread whose frame it is, which waits until busy is 0. */
struct pv_share {
	const struct pv_source *source;
	uint32_t views;	    /* of the state */
	uint32_t most;	    /* of a lot */
	uint32_t map, view; /* what comes next: that map's views from there on */
	uint32_t busy;	    /* lots that somebody is at */
	int code;	    /* of the first lot that failed, and why */
	struct fmt_err err;
	struct pv_share *next;
};

void
pv_crew_init(
	struct pv_crew *crew, uint32_t threads, uint32_t frames_most, uint32_t frames)
{
	*crew = (struct pv_crew){
		.threads = threads,
		.frames_most = frames_most,
		.count = frames,
		.lot_most = PV_LOT_MOST,
		.memory = UINT64_MAX,
	};
	pthread_mutex_init(&crew->lock, NULL);
	pthread_cond_init(&crew->changed, NULL);
}

void
pv_crew_free(struct pv_crew *crew)
{
	pthread_cond_destroy(&crew->changed);
	pthread_mutex_destroy(&crew->lock);
}

/* The next views of one map; 0: all are taken. */
static int
take_lot(struct pv_share *share, struct pv_lot *lot)
{
	const struct pv_maps *maps = share->source->maps;
	*lot = (struct pv_lot){.source = share->source};
	while (share->code == 0 && lot->count == 0 && share->map < maps->map_count) {
		lot->map = share->map;
		for (; share->view < share->views && lot->count < share->most;
			share->view++)
			if (maps->views[share->view].map == share->map)
				lot->views[lot->count++] = share->view;
		if (share->view == share->views) {
			share->map++;
			share->view = 0;
		}
	}
	share->busy += lot->count > 0;
	return lot->count > 0;
}

/* Somebody else's lot, of whichever frame has one. */
static int
take_any(struct pv_crew *crew, struct pv_work *work)
{
	for (work->share = crew->shares; work->share != NULL;
		work->share = work->share->next)
		if (take_lot(work->share, &work->lot))
			return 1;
	return 0;
}

int
pv_crew_next(struct pv_crew *crew, struct pv_work *work)
{
	int found = 0;
	pthread_mutex_lock(&crew->lock);
	for (;;) {
		const int frames_left = !crew->stopped && crew->next < crew->count;
		if (frames_left && crew->under_way < crew->frames_most) {
			*work = (struct pv_work){.frame = crew->next++};
			crew->under_way++;
			found = 1;
			break;
		}
		found = take_any(crew, work);
		if (found || (!frames_left && crew->under_way == 0))
			break;
		pthread_cond_wait(&crew->changed, &crew->lock);
	}
	pthread_mutex_unlock(&crew->lock);
	return found;
}

void
pv_crew_end_frame(struct pv_crew *crew, int stop)
{
	pthread_mutex_lock(&crew->lock);
	crew->under_way--;
	crew->stopped |= stop;
	pthread_cond_broadcast(&crew->changed);
	pthread_mutex_unlock(&crew->lock);
}

void
pv_crew_do_lot(struct pv_crew *crew, struct pv_desk *desk, struct pv_work *work)
{
	struct pv_share *share = work->share;
	struct fmt_err err = {0};
	int rc = pv_lot_write(desk, &work->lot, &err);
	pthread_mutex_lock(&crew->lock);
	if (rc < 0 && share->code == 0) {
		share->code = rc;
		share->err = err;
	}
	if (--share->busy == 0)
		pthread_cond_broadcast(&crew->changed);
	pthread_mutex_unlock(&crew->lock);
}

/* A frame that is begun holds its file; with its pixels it will be about three times as
 * large.  Files that left no room for that would have the first of them overdraw. */
#define GROWTH 3

static int
may_claim(const struct pv_crew *crew, const struct pv_claim *claim,
	const struct pv_claim *wanted)
{
	const uint64_t others = crew->held - claim->bytes;
	const uint64_t left = others < crew->memory ? crew->memory - others : 0;
	const uint64_t part = wanted->stage == PV_CLAIM_BEGUN ? GROWTH : 1;
	if (wanted->bytes <= left / part)
		return 1;
	return crew->whole == 0 && (wanted->stage == PV_CLAIM_WHOLE || crew->begun == 0);
}

void
pv_crew_claim(struct pv_crew *crew, struct pv_desk *desk, struct pv_claim *claim,
	const struct pv_claim *wanted)
{
	struct pv_work work;
	pthread_mutex_lock(&crew->lock);
	while (!may_claim(crew, claim, wanted))
		if (take_any(crew, &work)) {
			pthread_mutex_unlock(&crew->lock);
			pv_crew_do_lot(crew, desk, &work);
			pthread_mutex_lock(&crew->lock);
		} else {
			pthread_cond_wait(&crew->changed, &crew->lock);
		}
	crew->held += wanted->bytes - claim->bytes;
	crew->begun += claim->stage == PV_CLAIM_NONE;
	crew->whole += wanted->stage == PV_CLAIM_WHOLE;
	*claim = *wanted;
	pthread_mutex_unlock(&crew->lock);
}

void
pv_crew_keep(struct pv_crew *crew, struct pv_claim *claim, uint64_t bytes)
{
	pthread_mutex_lock(&crew->lock);
	crew->held += bytes - claim->bytes;
	crew->begun -= claim->stage != PV_CLAIM_NONE;
	crew->whole -= claim->stage == PV_CLAIM_WHOLE;
	*claim = (struct pv_claim){bytes, PV_CLAIM_NONE};
	pthread_cond_broadcast(&crew->changed);
	pthread_mutex_unlock(&crew->lock);
}

/* While there are frames for all threads, a lot is as large as serves the caches; then it
 * is as small as gives every thread one. */
static uint32_t
lot_size(const struct pv_crew *crew, uint32_t views)
{
	uint32_t fair = (views + crew->threads - 1) / crew->threads;
	return crew->next < crew->count || fair > crew->lot_most ? crew->lot_most : fair;
}

int
pv_crew_split(struct pv_crew *crew, struct pv_desk *desk, const struct pv_source *source,
	struct fmt_err *err)
{
	struct pv_share share = {.source = source, .views = desk->state->views.count};
	struct pv_work work = {.share = &share};
	struct pv_share **at = &crew->shares;
	pthread_mutex_lock(&crew->lock);
	share.most = lot_size(crew, share.views);
	share.next = crew->shares;
	crew->shares = &share;
	pthread_cond_broadcast(&crew->changed);
	while (take_lot(&share, &work.lot)) {
		pthread_mutex_unlock(&crew->lock);
		pv_crew_do_lot(crew, desk, &work);
		pthread_mutex_lock(&crew->lock);
	}
	while (share.busy > 0)
		pthread_cond_wait(&crew->changed, &crew->lock);
	for (at = &crew->shares; *at != &share;)
		at = &(*at)->next;
	*at = share.next;
	pthread_mutex_unlock(&crew->lock);
	return share.code == 0 ? 0 : fmt_err_set(err, share.code, "%s", share.err.text);
}
