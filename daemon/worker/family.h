/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * family.h - which files of a folder make up a sequence or a bundle.
 */
#ifndef KD_FAMILY_H
#define KD_FAMILY_H

#include "daemon/worker/content.h"

struct kd_family_names {
	size_t count, room;
	char **list; /* a sequence's by number, a bundle's as bytes */
};

/*
 * The names of the unit that source->path names ("shot/frame_%04d.png", "chair.obj"), in
 * its folder, which is open at dir.  -ENOENT when there are none; -EINVAL with a sentence
 * when frames are missing that the rule will not do without (`complete`: that is asked),
 * -EAGAIN when the last one is.  Clear *names also after a failure.
 */
int kd_family_list(int dir, const struct kd_content_source *source, int complete,
	struct kd_family_names *names, struct kd_err *err);
void kd_family_clear(struct kd_family_names *names);

/* The order of names within a unit of that kind, as strcmp(3) tells it. */
int kd_family_compare(uint32_t kind, const char *left, const char *right);

#endif
