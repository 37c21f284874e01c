/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the ledger keeps, and for whom: forgetting what is old, and copying the whole.
 * Both go by slices, between which the orders of the batches have their turn.
 */
#include "daemon/queue/ledger_order.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SLICE_UNITS = 500, SLICE_PAGES = 256 };

/* prune */

struct prune {
	struct kd_ledger_order order;
	double before;
	size_t unit_count, forgot_count;
	int64_t units[SLICE_UNITS];
	struct kd_ledger_forgot forgot[SLICE_UNITS];
	kd_ledger_prune_fn *done;
	void *context;
};

static int
count_forgot(struct prune *prune, const char *rule, enum kd_state state)
{
	struct kd_ledger_forgot *forgot = prune->forgot;
	size_t i = 0;
	while (i < prune->forgot_count &&
		(forgot[i].state != state || strcmp(forgot[i].rule, rule) != 0))
		i++;
	if (i == prune->forgot_count) {
		char *copy = strdup(rule);
		if (copy == NULL)
			return SQLITE_NOMEM;
		forgot[i] = (struct kd_ledger_forgot){.rule = copy, .state = state};
		prune->forgot_count++;
	}
	forgot[i].count++;
	return SQLITE_OK;
}

static int
find_old(struct kd_ledger *ledger, struct prune *prune)
{
	sqlite3_stmt *stmt = kd_ledger_statement(ledger,
		"SELECT id, rule, state FROM unit WHERE finished = 2 AND updated < ?"
		" ORDER BY updated LIMIT ?");
	if (stmt == NULL)
		return SQLITE_ERROR;
	sqlite3_bind_double(stmt, 1, prune->before);
	sqlite3_bind_int(stmt, 2, SLICE_UNITS);
	int rc;
	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		prune->units[prune->unit_count++] = sqlite3_column_int64(stmt, 0);
		if (count_forgot(prune, (const char *)sqlite3_column_text(stmt, 1),
			    (enum kd_state)sqlite3_column_int(stmt, 2)) != SQLITE_OK) {
			rc = SQLITE_NOMEM;
			break;
		}
	}
	sqlite3_reset(stmt);
	return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

static int
forget(sqlite3_stmt *stmt, int64_t unit)
{
	if (stmt == NULL)
		return SQLITE_ERROR;
	sqlite3_bind_int64(stmt, 1, unit);
	return kd_ledger_step(stmt);
}

static int
prune_run(struct kd_ledger *ledger, struct kd_ledger_order *order)
{
	struct prune *prune = (struct prune *)order;
	int rc = find_old(ledger, prune);
	for (size_t i = 0; i < prune->unit_count && rc == SQLITE_OK; i++) {
		int64_t unit = prune->units[i];
		rc = forget(kd_ledger_statement(ledger, "DELETE FROM try WHERE unit = ?"),
			unit);
		if (rc == SQLITE_OK)
			rc = forget(kd_ledger_statement(
					    ledger, "DELETE FROM output WHERE unit = ?"),
				unit);
		if (rc == SQLITE_OK)
			rc = forget(kd_ledger_statement(
					    ledger, "DELETE FROM unit WHERE id = ?"),
				unit);
	}
	if (rc != SQLITE_OK)
		return rc;
	/* Batches are numbered as they start: the oldest come first. */
	sqlite3_stmt *stmt = kd_ledger_statement(ledger,
		"DELETE FROM batch WHERE id IN (SELECT id FROM batch WHERE started < ?1"
		" AND ended IS NOT NULL ORDER BY id LIMIT ?2)");
	if (stmt == NULL)
		return SQLITE_ERROR;
	sqlite3_bind_double(stmt, 1, prune->before);
	sqlite3_bind_int(stmt, 2, SLICE_UNITS);
	return kd_ledger_step(stmt);
}

static void
prune_done(struct kd_ledger_order *order, int rc)
{
	struct prune *prune = (struct prune *)order;
	prune->done(prune->context, rc, prune->forgot, rc < 0 ? 0 : prune->forgot_count);
	for (size_t i = 0; i < prune->forgot_count; i++)
		free(prune->forgot[i].rule);
	free(prune);
}

int
kd_ledger_prune(
	struct kd_ledger *ledger, double before, kd_ledger_prune_fn *done, void *context)
{
	struct prune *prune = calloc(1, sizeof *prune);
	if (prune == NULL)
		return -ENOMEM;
	prune->order.run = prune_run;
	prune->order.done = prune_done;
	prune->before = before;
	prune->done = done;
	prune->context = context;
	kd_ledger_post(ledger, &prune->order);
	return 0;
}

/* backup */

struct backup {
	struct kd_ledger_order order;
	struct kd_ledger *ledger;
	char *path;
	sqlite3 *copy;
	sqlite3_backup *progress;
	int fd;
	kd_ledger_backup_fn *done;
	void *context;
};

static int
begin_backup(struct kd_ledger *ledger, struct backup *backup)
{
	/* One that an earlier life left is of no use to anybody. */
	unlink(backup->path);
	int rc = sqlite3_open_v2(backup->path, &backup->copy,
		SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL);
	if (rc != SQLITE_OK)
		return rc;
	backup->progress = sqlite3_backup_init(backup->copy, "main", ledger->db, "main");
	return backup->progress == NULL ? sqlite3_errcode(backup->copy) : SQLITE_OK;
}

/* The copy as one file without a journal beside it, and without a name. */
static int
end_backup(struct backup *backup, int rc)
{
	int finished = sqlite3_backup_finish(backup->progress);
	backup->progress = NULL;
	if (rc == SQLITE_OK)
		rc = finished;
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(
			backup->copy, "PRAGMA journal_mode = DELETE", NULL, NULL, NULL);
	sqlite3_close(backup->copy);
	backup->copy = NULL;
	if (rc == SQLITE_OK) {
		backup->fd = open(backup->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
		if (backup->fd < 0)
			rc = SQLITE_CANTOPEN;
	}
	unlink(backup->path);
	return rc;
}

static int
backup_run(struct kd_ledger *ledger, struct kd_ledger_order *order)
{
	struct backup *backup = (struct backup *)order;
	int rc = backup->progress == NULL ? begin_backup(ledger, backup) : SQLITE_OK;
	if (rc == SQLITE_OK)
		rc = order->at_end ? SQLITE_ABORT
				   : sqlite3_backup_step(backup->progress, SLICE_PAGES);
	if (rc == SQLITE_OK)
		return KD_LEDGER_AGAIN;
	return end_backup(backup, rc == SQLITE_DONE ? SQLITE_OK : rc);
}

static void
backup_done(struct kd_ledger_order *order, int rc)
{
	struct backup *backup = (struct backup *)order;
	backup->ledger->backing_up = 0;
	backup->done(backup->context, rc, backup->fd);
	free(backup->path);
	free(backup);
}

int
kd_ledger_backup(struct kd_ledger *ledger, kd_ledger_backup_fn *done, void *context)
{
	if (ledger->backing_up)
		return -EBUSY;
	struct backup *backup = calloc(1, sizeof *backup);
	if (backup == NULL)
		return -ENOMEM;
	if (asprintf(&backup->path, "%s.backup", ledger->path) < 0) {
		free(backup);
		return -ENOMEM;
	}
	backup->order.run = backup_run;
	backup->order.done = backup_done;
	backup->order.apart = 1;
	backup->ledger = ledger;
	backup->fd = -1;
	backup->done = done;
	backup->context = context;
	ledger->backing_up = 1;
	kd_ledger_post(ledger, &backup->order);
	return 0;
}
