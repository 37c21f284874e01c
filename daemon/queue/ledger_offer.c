/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Drops that have settled: whether the ledger knows them.
 *
 * The column restore is a set: 1, the unit is fetched out of quarantine when it runs; 2,
 * that brings an input into the drop folder which will be seen there, maybe in another
 * shape; 4, the unit is such an input.
 */
#include "daemon/queue/ledger_order.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct offer {
	struct kd_ledger_order order;
	struct kd_unit *unit;
	int64_t id;
	enum kd_ledger_news news;
	kd_ledger_offer_fn *done;
	void *context;
};

static void
bind_identity(sqlite3_stmt *stmt, const struct kd_unit *unit)
{
	kd_ledger_bind_text(stmt, 1, unit->rule);
	sqlite3_bind_blob(stmt, 2, unit->path, (int)strlen(unit->path), SQLITE_STATIC);
	sqlite3_bind_int64(stmt, 3, (int64_t)unit->identity.ino);
	sqlite3_bind_int64(stmt, 4, unit->identity.btime);
	sqlite3_bind_int64(stmt, 5, unit->identity.size);
	sqlite3_bind_int64(stmt, 6, unit->identity.mtime);
	sqlite3_bind_int64(stmt, 7, (int64_t)unit->identity.fingerprint);
}

/* A unit that had gone, or whose input had been moved away, and that is there again as it
 * was, is open again: somebody put it back to have it run. */
static int
reopen(struct kd_ledger *ledger, struct offer *offer)
{
	sqlite3_stmt *stmt = kd_ledger_statement(ledger,
		"UPDATE unit SET state = 0, finished = 0, attempts = 0, company = 0,"
		" restore = 0, reason = NULL, updated = ?2 WHERE id = ?1");
	if (stmt == NULL)
		return SQLITE_ERROR;
	sqlite3_bind_int64(stmt, 1, offer->id);
	sqlite3_bind_double(stmt, 2, kd_ledger_now());
	offer->news = KD_LEDGER_FRESH;
	return kd_ledger_step(stmt);
}

/* Whether a unit of that path was retried out of quarantine and is to be found there in
 * another shape, as this one; once. */
static int
is_returned(struct kd_ledger *ledger, const struct kd_unit *unit, int *returned)
{
	sqlite3_stmt *stmt = kd_ledger_statement(ledger,
		"UPDATE unit SET restore = restore & 1"
		" WHERE rule = ? AND path = ? AND restore & 2");
	if (stmt == NULL)
		return SQLITE_ERROR;
	kd_ledger_bind_text(stmt, 1, unit->rule);
	sqlite3_bind_blob(stmt, 2, unit->path, (int)strlen(unit->path), SQLITE_STATIC);
	int rc = kd_ledger_step(stmt);
	*returned = rc == SQLITE_OK && sqlite3_changes(ledger->db) > 0;
	return rc;
}

static int
enter(struct kd_ledger *ledger, struct offer *offer)
{
	int returned = 0, rc = is_returned(ledger, offer->unit, &returned);
	if (rc != SQLITE_OK)
		return rc;
	sqlite3_stmt *stmt = kd_ledger_statement(ledger,
		"INSERT INTO unit (rule, path, ino, btime, size, mtime, fingerprint, "
		"kind, restore, state, created, updated)"
		" VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?10, ?10)");
	if (stmt == NULL)
		return SQLITE_ERROR;
	bind_identity(stmt, offer->unit);
	sqlite3_bind_int64(stmt, 8, offer->unit->kind);
	sqlite3_bind_int(stmt, 9, returned ? 4 : 0);
	sqlite3_bind_double(stmt, 10, kd_ledger_now());
	rc = kd_ledger_step(stmt);
	offer->id = sqlite3_last_insert_rowid(ledger->db);
	offer->news = returned ? KD_LEDGER_RETURNED : KD_LEDGER_FRESH;
	return rc;
}

static int
offer_run(struct kd_ledger *ledger, struct kd_ledger_order *order)
{
	struct offer *offer = (struct offer *)order;
	sqlite3_stmt *stmt = kd_ledger_statement(ledger,
		"SELECT id, finished = 2, restore & 2 FROM unit WHERE rule = ?"
		" AND path = ? AND ino = ? AND btime = ? AND size = ? AND mtime = ?"
		" AND fingerprint = ?");
	if (stmt == NULL)
		return SQLITE_ERROR;
	bind_identity(stmt, offer->unit);
	int rc = sqlite3_step(stmt);
	if (rc != SQLITE_ROW) {
		sqlite3_reset(stmt);
		return rc == SQLITE_DONE ? enter(ledger, offer) : rc;
	}
	offer->id = sqlite3_column_int64(stmt, 0);
	int was_away = sqlite3_column_int(stmt, 1);
	int was_awaited = sqlite3_column_int(stmt, 2);
	sqlite3_reset(stmt);
	if (was_away)
		return reopen(ledger, offer);
	return was_awaited ? is_returned(ledger, offer->unit, &was_awaited) : SQLITE_OK;
}

static void
offer_done(struct kd_ledger_order *order, int rc)
{
	struct offer *offer = (struct offer *)order;
	offer->done(offer->context, rc, offer->id, offer->news);
	kd_unit_free(offer->unit);
	free(offer);
}

int
kd_ledger_offer(struct kd_ledger *ledger, const struct kd_unit *unit,
	kd_ledger_offer_fn *done, void *context)
{
	struct offer *offer = calloc(1, sizeof *offer);
	if (offer == NULL)
		return -ENOMEM;
	offer->order.run = offer_run;
	offer->order.done = offer_done;
	offer->unit = kd_unit_new(unit->rule, unit->path, unit->kind);
	if (offer->unit == NULL) {
		free(offer);
		return -ENOMEM;
	}
	offer->unit->identity = unit->identity;
	offer->done = done;
	offer->context = context;
	kd_ledger_post(ledger, &offer->order);
	return 0;
}
