/* SPDX-License-Identifier: BSD-2-Clause */
#include "plugins/vmd-fk/needed.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A set that grows and those of it that were not looked at yet.  A bone's movers are the
 * IK bones whose chains have it as link or target: movers[first[b]] .. */
struct search {
	const struct fmt_model *model;
	uint8_t *needed;
	uint32_t *waiting, waiting_count; /* each bone waits once */
	uint32_t *first, *movers;
};

static void
need(struct search *search, int32_t bone)
{
	if (bone < 0 || search->needed[bone])
		return;
	search->needed[bone] = 1;
	search->waiting[search->waiting_count++] = (uint32_t)bone;
}

/* Counts into first[bone + 1] with movers = NULL, else fills in and moves first[bone] to
 * the end of its stretch. */
static void
list_movers(struct search *search, uint32_t *first, uint32_t *movers)
{
	for (uint32_t i = 0; i < search->model->bone_count; i++) {
		const struct fmt_bone *bone = &search->model->bones[i];
		if (!(bone->flags & FMT_BONE_IK))
			continue;
		for (uint32_t k = 0; k <= bone->ik_link_count; k++) {
			int32_t moved = k < bone->ik_link_count ? bone->ik_links[k].bone
								: bone->ik_target;
			if (moved < 0)
				continue;
			if (movers == NULL)
				first[moved + 1]++;
			else
				movers[first[moved]++] = i;
		}
	}
}

static int
find_movers(struct search *search)
{
	uint32_t count = search->model->bone_count;
	/* One more in front: filling shifts every beginning to its end. */
	uint32_t *first = calloc((size_t)count + 2, sizeof *first);
	search->first = first;
	if (first == NULL)
		return -ENOMEM;
	list_movers(search, first + 1, NULL);
	for (uint32_t i = 0; i < count; i++)
		first[i + 2] += first[i + 1];
	search->movers = calloc((size_t)first[count + 1] + 1, sizeof *search->movers);
	if (search->movers == NULL)
		return -ENOMEM;
	list_movers(search, first + 1, search->movers);
	return 0;
}

static void
need_chain(struct search *search, uint32_t ik)
{
	const struct fmt_bone *bone = &search->model->bones[ik];
	need(search, (int32_t)ik);
	need(search, bone->ik_target);
	for (uint32_t i = 0; i < bone->ik_link_count; i++)
		need(search, bone->ik_links[i].bone);
}

int
fk_needed_mark(const struct fmt_model *model, const struct fk_switches *switches,
	const int32_t *bones, uint32_t count, uint8_t *needed)
{
	struct search search = {.model = model, .needed = needed};
	int rc = -ENOMEM;
	memset(needed, 0, model->bone_count);
	search.waiting = calloc((size_t)model->bone_count + 1, sizeof *search.waiting);
	if (search.waiting == NULL || (switches->ik && find_movers(&search) < 0))
		goto out;
	for (uint32_t i = 0; i < count; i++)
		need(&search, bones[i]);
	while (search.waiting_count > 0) {
		uint32_t bone = search.waiting[--search.waiting_count];
		need(&search, model->bones[bone].parent);
		if (switches->append)
			need(&search, model->bones[bone].append_source);
		if (!switches->ik)
			continue;
		for (uint32_t i = search.first[bone]; i < search.first[bone + 1]; i++)
			need_chain(&search, search.movers[i]);
	}
	rc = 0;
out:
	free(search.waiting);
	free(search.first);
	free(search.movers);
	return rc;
}
