/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * outcome.h - what becomes of a unit after a try: the policy of retries, of crashes and
 * of giving up.  Arithmetic on statuses; nothing is written here.
 */
#ifndef KD_OUTCOME_H
#define KD_OUTCOME_H

#include "daemon/queue/unit.h"
#include "daemon/rules/rule.h"
#include "daemon/worker/manifest.h"

struct kd_outcome {
	enum kd_state state;
	double not_before; /* of a retry */
	uint32_t company;  /* see struct kd_unit */
	int refund;	   /* the attempt is not counted */
	int look_again;	   /* it has changed: intake should settle the path anew */
	int look_later;	   /* somebody writes to it: the same, once he has closed it */
	int stays;	   /* its input is another by now: it is left alone */
	int astray;	   /* its keeper left no word: its input may lie in a claim */
	char sha256[KD_HASH_HEX]; /* of its content, as far as that is known */
	char reason[1024];	  /* "" when all went well */
	char *output;		  /* where it was published; NULL */
};

struct kd_outcome_judge {
	const struct kd_rule *rule;
	uint32_t company; /* units in the batch */
	uint32_t crashed; /* of them those that it had not finished when it crashed */
	double now;
	int stopping;
	int refused; /* the rule's parameters were, not the units: they wait, uncharged */
	const char *failure; /* the worker's end, where there is no result */
};

/* result NULL: the worker gave none; *outcome then may have a sha256 already.  *outcome is
 * filled; kd_outcome_clear() frees. */
void kd_outcome_judge(const struct kd_outcome_judge *judge, struct kd_unit *unit,
	const struct kd_result_unit *result, struct kd_outcome *outcome);
/* The try does not count; the unit comes again in a moment. */
void kd_outcome_put_back(struct kd_outcome *outcome, const struct kd_unit *unit,
	double now, const char *why);
/* The unit has ended, as kd_unit_note_end() noted, and its input was not disposed of: it
 * comes again for that: in a moment, and later each time. */
void kd_outcome_dispose_again(struct kd_outcome *outcome, struct kd_unit *unit,
	const struct kd_rule *rule, double now);
/* Whether an administrator should hear of it: a failure, or a try that has to be repeated. */
int kd_outcome_is_trouble(const struct kd_outcome *outcome);
void kd_outcome_clear(struct kd_outcome *outcome);

#endif
