/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/outcome.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const uint32_t CRASHES = 2; /* alone, after which a crash is the unit's */
static const double MOMENT = 5;	   /* seconds before what was put back comes again */

static void
say(struct kd_outcome *outcome, const char *reason)
{
	snprintf(outcome->reason, sizeof outcome->reason, "%s",
		reason == NULL ? "" : reason);
}

/* Doubling from least to most, give or take a fifth so that units do not come in step. */
static double
backoff(const struct kd_rule *rule, uint32_t attempts)
{
	double wait = rule->retries.backoff_least;
	for (uint32_t i = 1; i < attempts && wait < rule->retries.backoff_most; i++)
		wait *= 2;
	if (wait > rule->retries.backoff_most)
		wait = rule->retries.backoff_most;
	return wait * (0.8 + 0.4 * (double)random() / (double)RAND_MAX);
}

static void
retry_or_give_up(const struct kd_outcome_judge *judge, const struct kd_unit *unit,
	const char *reason, struct kd_outcome *outcome)
{
	if (unit->attempts > judge->rule->retries.max) {
		outcome->state = KD_STATE_FAILED;
		snprintf(outcome->reason, sizeof outcome->reason,
			"given up after %u tries: %s", unit->attempts,
			reason == NULL ? "no reason was given" : reason);
		return;
	}
	outcome->state = KD_STATE_DEFERRED;
	outcome->not_before = judge->now + backoff(judge->rule, unit->attempts);
	say(outcome, reason);
}

/* A crash in company accuses nobody and is charged to nobody: those it left unfinished
 * come again in halves, until the guilty one stands alone.  That one has a second try, for
 * the crash may have been the machine's. */
static void
crashed(const struct kd_outcome_judge *judge, const struct kd_unit *unit,
	const char *reason, struct kd_outcome *outcome)
{
	int alone = judge->company == 1;
	outcome->company = alone ? 1 : (judge->crashed + 1) / 2;
	outcome->refund = !alone;
	outcome->state =
		alone && unit->attempts >= CRASHES ? KD_STATE_FAILED : KD_STATE_READY;
	say(outcome, reason);
}

static void
by_status(const struct kd_outcome_judge *judge, const struct kd_unit *unit,
	const struct kd_result_unit *result, struct kd_outcome *outcome)
{
	switch (result->status) {
	case KD_UNIT_PUBLISHED:
	case KD_UNIT_ALREADY:
		outcome->state = KD_STATE_PUBLISHED;
		break;
	case KD_UNIT_SAME:
		outcome->state = KD_STATE_SKIPPED;
		break;
	case KD_UNIT_KEPT:
		outcome->state = KD_STATE_KEPT;
		break;
	case KD_UNIT_BAD:
		outcome->state = KD_STATE_FAILED;
		break;
	case KD_UNIT_TRANSIENT:
		if (!judge->refused) {
			retry_or_give_up(judge, unit, result->reason, outcome);
			return;
		}
		outcome->state = KD_STATE_READY;
		outcome->refund = 1;
		break;
	case KD_UNIT_BUSY:
	case KD_UNIT_CHANGED:
		outcome->state = KD_STATE_GONE;
		outcome->look_again = result->status == KD_UNIT_CHANGED;
		outcome->look_later = result->status == KD_UNIT_BUSY;
		break;
	case KD_UNIT_GONE:
		outcome->state = KD_STATE_GONE;
		break;
	case KD_UNIT_CANCELLED:
		outcome->state = KD_STATE_READY;
		outcome->refund = 1;
		break;
	case KD_UNIT_HELD:
		/* The try does not count, and no number of them is enough to give up. */
		outcome->state = KD_STATE_DEFERRED;
		outcome->not_before = judge->now + backoff(judge->rule, 1);
		outcome->refund = 1;
		break;
	case KD_UNIT_CRASHED:
		crashed(judge, unit, result->reason, outcome);
		return;
	}
	say(outcome, result->reason);
}

/* It had ended before, and only its input was to be disposed of. */
static void
by_disposal(const struct kd_outcome_judge *judge, struct kd_unit *unit,
	const struct kd_result_unit *result, struct kd_outcome *outcome)
{
	enum kd_status status = result == NULL ? KD_UNIT_HELD : result->status;
	outcome->refund = 1;
	outcome->state = unit->recorded;
	say(outcome, unit->end == NULL ? NULL : unit->end->reason);
	switch (status) {
	case KD_UNIT_SAME:
	case KD_UNIT_KEPT:
	case KD_UNIT_BAD:
	case KD_UNIT_GONE:
		return;
	case KD_UNIT_CHANGED:
		outcome->stays = 1;
		return;
	case KD_UNIT_CANCELLED:
		if (unit->recorded == KD_STATE_CANCELLED)
			return;
		break;
	default:
		break;
	}
	kd_outcome_dispose_again(outcome, unit, judge->rule, judge->now);
	say(outcome, result == NULL ? judge->failure : result->reason);
}

void
kd_outcome_judge(const struct kd_outcome_judge *judge, struct kd_unit *unit,
	const struct kd_result_unit *result, struct kd_outcome *outcome)
{
	struct kd_outcome judged = {.company = unit->company};
	memcpy(judged.sha256, result == NULL ? outcome->sha256 : result->sha256,
		sizeof judged.sha256);
	*outcome = judged;
	if (kd_unit_is_final(unit->recorded)) {
		by_disposal(judge, unit, result, outcome);
		return;
	}
	if (result == NULL && judge->stopping)
		kd_outcome_put_back(outcome, unit, judge->now, judge->failure);
	else if (result == NULL)
		retry_or_give_up(judge, unit, judge->failure, outcome);
	else
		by_status(judge, unit, result, outcome);
	outcome->astray = result == NULL || result->status == KD_UNIT_HELD;
	if (unit->cancel && !kd_unit_is_final(outcome->state)) {
		outcome->state = KD_STATE_CANCELLED;
		say(outcome, "cancelled while it ran");
	}
	if (result != NULL && result->primary != NULL)
		outcome->output = strdup(result->primary);
}

void
kd_outcome_dispose_again(struct kd_outcome *outcome, struct kd_unit *unit,
	const struct kd_rule *rule, double now)
{
	double wait = unit->disposals == 0 ? MOMENT : backoff(rule, unit->disposals);
	unit->disposals++;
	outcome->state = KD_STATE_DEFERRED;
	outcome->not_before = now + wait;
}

void
kd_outcome_put_back(struct kd_outcome *outcome, const struct kd_unit *unit, double now,
	const char *why)
{
	*outcome = (struct kd_outcome){
		.state = KD_STATE_DEFERRED,
		.not_before = now + MOMENT,
		.company = unit->company,
		.refund = unit->batch != 0,
	};
	say(outcome, why);
}

int
kd_outcome_is_trouble(const struct kd_outcome *outcome)
{
	return outcome->state == KD_STATE_FAILED || !kd_unit_is_final(outcome->state);
}

void
kd_outcome_clear(struct kd_outcome *outcome)
{
	free(outcome->output);
	outcome->output = NULL;
}
