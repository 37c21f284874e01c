/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/intake/canary.h"

#include <errno.h>

enum { LATE_MOST = 1 /* a loop that was held up once is no deaf one */ };

/* What was asked, and how it stands. */
static enum kd_canary_verdict
judge(struct kd_canary *canary, struct kd_inotify *inotify)
{
	if (!canary->asked)
		return KD_CANARY_ALIVE;
	/* It may wait behind many others. */
	kd_inotify_drain(inotify);
	if (canary->asked)
		return KD_CANARY_DEAD;
	if (kd_inotify_turns(inotify) != canary->turns)
		return KD_CANARY_ALIVE;
	return ++canary->late > LATE_MOST ? KD_CANARY_DEAF : KD_CANARY_ALIVE;
}

enum kd_canary_verdict
kd_canary_ask(struct kd_canary *canary, struct kd_inotify *inotify, struct kd_root *root)
{
	enum kd_canary_verdict verdict = judge(canary, inotify);
	if (verdict == KD_CANARY_DEAD)
		return verdict;
	int dir = kd_root_open(root);
	if (dir < 0)
		return verdict;
	int rc = kd_inotify_probe(inotify, dir);
	if (rc == -ENOENT)
		return KD_CANARY_DEAD;
	if (rc < 0)
		return verdict;
	canary->asked = 1;
	canary->turns = kd_inotify_turns(inotify);
	return verdict;
}

void
kd_canary_answered(
	struct kd_canary *canary, struct kd_inotify *inotify, struct kd_root *root)
{
	if (!canary->asked)
		return;
	canary->asked = 0;
	if (kd_inotify_turns(inotify) != canary->turns)
		canary->late = 0;
	int dir = kd_root_open(root);
	if (dir >= 0)
		kd_inotify_probed(inotify, dir);
}

void
kd_canary_forget(struct kd_canary *canary)
{
	*canary = (struct kd_canary){0};
}
