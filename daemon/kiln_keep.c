/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Retention: the ledger forgets what is older than `keep`, now and then by itself and when
 * kilnctl asks.
 */
#include "daemon/kiln_keep.h"

#include "daemon/base/log.h"
#include "daemon/kiln_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const double FIRST = 60; /* seconds after the start, which has enough to do */
static const double PERIOD = 6 * 3600; /* seconds */

struct errand {
	struct kd_kiln *kiln;
	double before;
	uint64_t forgotten;
	kd_kiln_pruned_fn *done; /* NULL: nobody asked */
	void *context;
};

static void
end(struct errand *errand, int rc)
{
	if (rc < 0)
		kd_log(KD_ERROR, "the ledger cannot forget what is old (%s)",
			strerror(-rc));
	else if (errand->forgotten > 0)
		kd_log(KD_INFO, "the ledger has forgotten %llu old units",
			(unsigned long long)errand->forgotten);
	if (errand->done != NULL)
		errand->done(errand->context, rc, errand->forgotten);
	free(errand);
}

static void
on_slice(void *context, int rc, const struct kd_ledger_forgot *forgot, size_t count)
{
	struct errand *errand = context;
	struct kd_kiln *kiln = errand->kiln;
	for (size_t i = 0; i < count; i++) {
		kd_queue_discount(
			kiln->queue, forgot[i].rule, forgot[i].state, forgot[i].count);
		errand->forgotten += forgot[i].count;
	}
	if (rc == 0 && count > 0 && !kiln->stopping)
		rc = kd_ledger_prune(kiln->ledger, errand->before, on_slice, errand);
	else
		count = 0;
	if (rc < 0 || count == 0)
		end(errand, rc);
}

int
kd_kiln_prune(struct kd_kiln *kiln, double older, kd_kiln_pruned_fn *done, void *context)
{
	struct errand *errand = calloc(1, sizeof *errand);
	if (errand == NULL)
		return -ENOMEM;
	*errand = (struct errand){
		.kiln = kiln,
		.before = ev_now(kiln->loop) - older,
		.done = done,
		.context = context,
	};
	int rc = kd_ledger_prune(kiln->ledger, errand->before, on_slice, errand);
	if (rc < 0)
		free(errand);
	return rc;
}

static void
on_period(struct ev_loop *loop, ev_timer *timer, int events)
{
	(void)loop;
	(void)events;
	struct kd_kiln *kiln = timer->data;
	if (kiln->conf->keep > 0)
		kd_kiln_prune(kiln, kiln->conf->keep, NULL, NULL);
}

void
kd_kiln_begin_pruning(struct kd_kiln *kiln)
{
	ev_timer_init(&kiln->prune, on_period, FIRST, PERIOD);
	kiln->prune.data = kiln;
	ev_timer_start(kiln->loop, &kiln->prune);
}
