/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What administrators command of kilnd itself: pause, resume, prune, backup.
 */
#include "daemon/base/log.h"
#include "daemon/kiln_answer.h"
#include "daemon/kiln_hold.h"
#include "daemon/kiln_keep.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* pause and resume */

struct order {
	struct kd_kiln_ask ask;
	struct kd_kiln *kiln;
	char *rule; /* NULL: everything */
	char who[32];
	int paused;
};

static void
order_free(struct order *order)
{
	if (order != NULL)
		free(order->rule);
	free(order);
}

/* It counts once the ledger has it: what kilnctl was told outlives a power cut. */
static void
on_paused(void *context, int rc)
{
	struct order *order = context;
	struct kd_kiln *kiln = order->kiln;
	const char *rule = order->rule == NULL ? "(all)" : order->rule;
	struct kd_control_request *request = kd_kiln_ask_end(&order->ask);
	if (rc == 0 && order->paused)
		kd_kiln_note_pause(kiln, order->rule, ev_now(kiln->loop), order->who);
	else if (rc == 0)
		kd_kiln_note_resume(kiln, order->rule);
	if (rc == 0)
		kd_log(KD_NOTICE, "rule '%s': %s by %s", rule,
			order->paused ? "paused" : "resumed", order->who);
	if (request != NULL && rc < 0)
		kd_control_refuse(
			request, "the ledger cannot be written: %s", strerror(-rc));
	else if (request != NULL)
		kd_control_end(request, json_object());
	order_free(order);
	kd_kiln_stir(kiln);
}

static void
pause_or_resume(struct kd_kiln *kiln, struct kd_control_request *request,
	const json_t *arguments, int paused)
{
	const char *rule = json_string_value(json_object_get(arguments, "rule"));
	/* One that is away may be resumed: it was paused when it was there. */
	if (rule != NULL && paused && kd_conf_rule(kiln->conf, rule) == NULL) {
		kd_control_refuse(request, "there is no rule '%s'", rule);
		return;
	}
	struct order *order = calloc(1, sizeof *order);
	if (order == NULL || (rule != NULL && (order->rule = strdup(rule)) == NULL)) {
		order_free(order);
		kd_control_refuse(request, "%s", strerror(ENOMEM));
		return;
	}
	order->kiln = kiln;
	order->paused = paused;
	kd_kiln_who(kd_control_peer(request), order->who);
	struct kd_ledger_pause given = {order->rule, order->who, paused};
	kd_kiln_ask_begin(&order->ask, request);
	int rc = kd_ledger_pause(kiln->ledger, &given, on_paused, order);
	if (rc < 0)
		on_paused(order, rc);
}

void
kd_kiln_answer_pause(
	struct kd_kiln *kiln, struct kd_control_request *request, const json_t *arguments)
{
	pause_or_resume(kiln, request, arguments, 1);
}

void
kd_kiln_answer_resume(
	struct kd_kiln *kiln, struct kd_control_request *request, const json_t *arguments)
{
	pause_or_resume(kiln, request, arguments, 0);
}

/* prune */

static void
on_pruned(void *context, int rc, uint64_t forgotten)
{
	struct kd_kiln_ask *ask = context;
	struct kd_control_request *request = kd_kiln_ask_end(ask);
	if (request != NULL && rc < 0)
		kd_control_refuse(
			request, "the ledger cannot be written: %s", strerror(-rc));
	else if (request != NULL)
		kd_control_end(
			request, json_pack("{s:I}", "forgotten", (json_int_t)forgotten));
	free(ask);
}

void
kd_kiln_answer_prune(
	struct kd_kiln *kiln, struct kd_control_request *request, const json_t *arguments)
{
	const json_t *given = json_object_get(arguments, "older");
	double older =
		json_is_number(given) ? json_number_value(given) : kiln->conf->keep;
	if (!json_is_number(given) && older <= 0) {
		kd_control_refuse(request, "the configuration keeps everything (keep = "
					   "\"forever\"): say what is old with --older");
		return;
	}
	struct kd_kiln_ask *ask = calloc(1, sizeof *ask);
	if (ask == NULL) {
		kd_control_refuse(request, "%s", strerror(ENOMEM));
		return;
	}
	kd_kiln_ask_begin(ask, request);
	int rc = kd_kiln_prune(kiln, older, on_pruned, ask);
	if (rc < 0)
		on_pruned(ask, rc, 0);
}

/* backup */

static void
on_backup(void *context, int rc, int fd)
{
	struct kd_kiln_ask *ask = context;
	struct kd_control_request *request = kd_kiln_ask_end(ask);
	if (request != NULL && rc < 0) {
		kd_control_refuse(
			request, "the ledger cannot be copied: %s", strerror(-rc));
	} else if (request != NULL) {
		kd_control_hand(request, json_pack("{s:s}", "event", "backup"), fd);
		kd_control_end(request, json_object());
	}
	if (fd >= 0)
		close(fd);
	free(ask);
}

void
kd_kiln_answer_backup(
	struct kd_kiln *kiln, struct kd_control_request *request, const json_t *arguments)
{
	(void)arguments;
	struct kd_kiln_ask *ask = calloc(1, sizeof *ask);
	if (ask == NULL) {
		kd_control_refuse(request, "%s", strerror(ENOMEM));
		return;
	}
	kd_kiln_ask_begin(ask, request);
	int rc = kd_ledger_backup(kiln->ledger, on_backup, ask);
	if (rc < 0)
		on_backup(ask, rc, -1);
}
