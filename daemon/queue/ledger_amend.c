/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ledger's orders that people give: cancel, retry, pause.
 */
#include "daemon/queue/ledger_order.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* cancel */

struct cancel {
	struct kd_ledger_order order;
	kd_ledger_done_fn *done;
	void *context;
	uint32_t unit_count;
	struct kd_ledger_cancelled units[];
};

static int
cancel_run(struct kd_ledger *ledger, struct kd_ledger_order *order)
{
	struct cancel *cancel = (struct cancel *)order;
	int rc = SQLITE_OK;
	for (uint32_t i = 0; i < cancel->unit_count && rc == SQLITE_OK; i++) {
		sqlite3_stmt *stmt = kd_ledger_statement(ledger,
			"UPDATE unit SET state = 8, finished = ?2, restore = 0, company "
			"= "
			"0,"
			" reason = 'cancelled', updated = ?3 WHERE id = ?1");
		if (stmt == NULL)
			return SQLITE_ERROR;
		sqlite3_bind_int64(stmt, 1, cancel->units[i].unit);
		sqlite3_bind_int(stmt, 2, !cancel->units[i].astray);
		sqlite3_bind_double(stmt, 3, kd_ledger_now());
		rc = kd_ledger_step(stmt);
	}
	return rc;
}

static void
cancel_done(struct kd_ledger_order *order, int rc)
{
	struct cancel *cancel = (struct cancel *)order;
	cancel->done(cancel->context, rc);
	free(cancel);
}

int
kd_ledger_cancel(struct kd_ledger *ledger, const struct kd_ledger_cancelled *units,
	uint32_t unit_count, kd_ledger_done_fn *done, void *context)
{
	struct cancel *cancel =
		calloc(1, sizeof *cancel + unit_count * sizeof cancel->units[0]);
	if (cancel == NULL)
		return -ENOMEM;
	cancel->order.run = cancel_run;
	cancel->order.done = cancel_done;
	cancel->done = done;
	cancel->context = context;
	cancel->unit_count = unit_count;
	memcpy(cancel->units, units, unit_count * sizeof cancel->units[0]);
	kd_ledger_post(ledger, &cancel->order);
	return 0;
}

/* retry */

struct retry {
	struct kd_ledger_order order;
	int64_t unit;
	char *rule;
	int missing;
	enum kd_state was;
	struct kd_unit *first, **last;
	kd_ledger_retry_fn *done;
	void *context;
};

/* The state of the one unit, or that there is none. */
static int
look_up(struct kd_ledger *ledger, struct retry *retry)
{
	sqlite3_stmt *stmt =
		kd_ledger_statement(ledger, "SELECT state FROM unit WHERE id = ?");
	if (stmt == NULL)
		return SQLITE_ERROR;
	sqlite3_bind_int64(stmt, 1, retry->unit);
	int rc = sqlite3_step(stmt);
	retry->missing = rc == SQLITE_DONE;
	if (rc == SQLITE_ROW)
		retry->was = (enum kd_state)sqlite3_column_int(stmt, 0);
	sqlite3_reset(stmt);
	return rc == SQLITE_ROW || rc == SQLITE_DONE ? SQLITE_OK : rc;
}

/* The unit is fetched from its quarantine when its input was moved there. */
static int
reopen(struct kd_ledger *ledger, int64_t unit)
{
	sqlite3_stmt *stmt = kd_ledger_statement(ledger,
		"UPDATE unit SET restore = 3 * (state = 6 AND finished = 2), state = 0,"
		" finished = 0, attempts = 0, company = 0, not_before = 0, reason = NULL,"
		" updated = ?2 WHERE id = ?1");
	if (stmt == NULL)
		return SQLITE_ERROR;
	sqlite3_bind_int64(stmt, 1, unit);
	sqlite3_bind_double(stmt, 2, kd_ledger_now());
	return kd_ledger_step(stmt);
}

static int
take_units(struct retry *retry, sqlite3_stmt *stmt)
{
	int rc;
	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		struct kd_unit *unit = kd_ledger_unit(stmt);
		if (unit == NULL) {
			rc = SQLITE_NOMEM;
			break;
		}
		*retry->last = unit;
		retry->last = &unit->next;
	}
	sqlite3_reset(stmt);
	return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

static int
retry_run(struct kd_ledger *ledger, struct kd_ledger_order *order)
{
	struct retry *retry = (struct retry *)order;
	int rc = retry->rule != NULL ? SQLITE_OK : look_up(ledger, retry);
	if (rc != SQLITE_OK || retry->missing ||
		(retry->rule == NULL && retry->was != KD_STATE_FAILED &&
			retry->was != KD_STATE_CANCELLED))
		return rc;
	/* One that is final but still open has its input to be disposed of first. */
	sqlite3_stmt *stmt =
		retry->rule != NULL
			? kd_ledger_statement(ledger,
				  "SELECT " KD_LEDGER_UNIT " FROM unit WHERE rule = ?1"
				  " AND state = 6 AND finished > 0 AND id > ?2"
				  " ORDER BY id LIMIT ?3")
			: kd_ledger_statement(ledger,
				  "SELECT " KD_LEDGER_UNIT " FROM unit WHERE id = ?2"
				  " AND finished > 0");
	if (stmt == NULL)
		return SQLITE_ERROR;
	sqlite3_bind_int64(stmt, 2, retry->unit);
	if (retry->rule != NULL) {
		kd_ledger_bind_text(stmt, 1, retry->rule);
		sqlite3_bind_int(stmt, 3, KD_LEDGER_RETRY);
	}
	rc = take_units(retry, stmt);
	for (struct kd_unit *u = retry->first; u != NULL && rc == SQLITE_OK; u = u->next)
		rc = reopen(ledger, u->id);
	return rc;
}

/* As their rows are now, which they were read before. */
static void
make_open(struct kd_unit *unit, enum kd_state was)
{
	unit->restore = was == KD_STATE_FAILED;
	unit->returned = 0;
	kd_unit_forget_end(unit);
	unit->state = KD_STATE_READY;
	unit->attempts = unit->company = 0;
	unit->not_before = 0;
}

static void
retry_done(struct kd_ledger_order *order, int rc)
{
	struct retry *retry = (struct retry *)order;
	for (struct kd_unit *u = retry->first, *next; u != NULL; u = next) {
		next = u->next;
		if (rc < 0)
			kd_unit_free(u);
		else
			make_open(u, u->recorded);
	}
	retry->done(retry->context, rc == 0 && retry->missing ? -ENOENT : rc,
		rc < 0 ? NULL : retry->first, retry->was);
	free(retry->rule);
	free(retry);
}

int
kd_ledger_retry(struct kd_ledger *ledger, const struct kd_ledger_retry *given,
	kd_ledger_retry_fn *done, void *context)
{
	struct retry *retry = calloc(1, sizeof *retry);
	if (retry == NULL)
		return -ENOMEM;
	if (given->rule != NULL && (retry->rule = strdup(given->rule)) == NULL) {
		free(retry);
		return -ENOMEM;
	}
	retry->order.run = retry_run;
	retry->order.done = retry_done;
	retry->unit = given->unit;
	retry->last = &retry->first;
	retry->done = done;
	retry->context = context;
	kd_ledger_post(ledger, &retry->order);
	return 0;
}

/* pause */

struct pause {
	struct kd_ledger_order order;
	char *rule, *who;
	int paused;
	kd_ledger_done_fn *done;
	void *context;
};

static int
pause_run(struct kd_ledger *ledger, struct kd_ledger_order *order)
{
	struct pause *pause = (struct pause *)order;
	sqlite3_stmt *stmt =
		pause->paused
			? kd_ledger_statement(ledger,
				  "INSERT OR IGNORE INTO pause (rule, since, who)"
				  " VALUES (?, ?, ?)")
			: kd_ledger_statement(ledger, "DELETE FROM pause WHERE rule = ?");
	if (stmt == NULL)
		return SQLITE_ERROR;
	kd_ledger_bind_text(stmt, 1, pause->rule);
	if (pause->paused) {
		sqlite3_bind_double(stmt, 2, kd_ledger_now());
		kd_ledger_bind_text(stmt, 3, pause->who);
	}
	return kd_ledger_step(stmt);
}

static void
pause_free(struct pause *pause)
{
	free(pause->rule);
	free(pause->who);
	free(pause);
}

static void
pause_done(struct kd_ledger_order *order, int rc)
{
	struct pause *pause = (struct pause *)order;
	pause->done(pause->context, rc);
	pause_free(pause);
}

int
kd_ledger_pause(struct kd_ledger *ledger, const struct kd_ledger_pause *given,
	kd_ledger_done_fn *done, void *context)
{
	struct pause *pause = calloc(1, sizeof *pause);
	if (pause == NULL)
		return -ENOMEM;
	pause->rule = strdup(given->rule == NULL ? "" : given->rule);
	pause->who = strdup(given->who);
	if (pause->rule == NULL || pause->who == NULL) {
		pause_free(pause);
		return -ENOMEM;
	}
	pause->order.run = pause_run;
	pause->order.done = pause_done;
	pause->paused = given->paused;
	pause->done = done;
	pause->context = context;
	kd_ledger_post(ledger, &pause->order);
	return 0;
}
