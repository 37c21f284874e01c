/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ledger's tables, and the way from each older schema to the present one.  Each step
 * is one transaction; user_version says how many have been taken.
 */
#include "daemon/queue/ledger_order.h"

#include <errno.h>

static const char *const steps[] = {
	/* 1: the first.  Times are Unix seconds; state and status are the numbers of
	   enum kd_state and enum kd_status; paths are bytes.  finished: 0 open, 1 closed,
	   2 closed and the input is not where it was dropped. */
	"CREATE TABLE unit ("
	" id INTEGER PRIMARY KEY, rule TEXT NOT NULL, path BLOB NOT NULL,"
	" kind INTEGER NOT NULL, ino INTEGER NOT NULL, btime INTEGER NOT NULL,"
	" size INTEGER NOT NULL, mtime INTEGER NOT NULL, fingerprint INTEGER NOT NULL,"
	" state INTEGER NOT NULL, finished INTEGER NOT NULL DEFAULT 0,"
	" attempts INTEGER NOT NULL DEFAULT 0, alone INTEGER NOT NULL DEFAULT 0,"
	" not_before REAL NOT NULL DEFAULT 0, reason TEXT, sha256 TEXT, revision TEXT,"
	" output BLOB, batch INTEGER, created REAL NOT NULL, updated REAL NOT NULL);"
	"CREATE UNIQUE INDEX unit_identity"
	" ON unit (rule, path, ino, btime, size, mtime, fingerprint);"
	"CREATE INDEX unit_content ON unit (sha256, rule, revision) WHERE state = 3;"
	"CREATE INDEX unit_open ON unit (id) WHERE finished = 0;"
	"CREATE INDEX unit_state ON unit (rule, state);"
	"CREATE TABLE batch ("
	" id INTEGER PRIMARY KEY, rule TEXT NOT NULL, revision TEXT NOT NULL,"
	" started REAL NOT NULL, ended REAL, failure TEXT, variant TEXT, device TEXT);"
	"CREATE TABLE try ("
	" unit INTEGER NOT NULL, batch INTEGER NOT NULL, attempt INTEGER NOT NULL,"
	" started REAL NOT NULL, ended REAL, status INTEGER, reason TEXT,"
	" PRIMARY KEY (unit, batch)) WITHOUT ROWID;"
	"CREATE TABLE output ("
	" unit INTEGER NOT NULL, path BLOB NOT NULL, sha256 TEXT NOT NULL,"
	" bytes INTEGER NOT NULL, companion INTEGER NOT NULL,"
	" PRIMARY KEY (unit, path)) WITHOUT ROWID;",
	/* 2: company counts what alone only told (1 is alone still); what is retried out of
	   quarantine; what is paused, where '' is everything.  Of a unit that is gone the
	   input is not where it was, which finished = 2 says; those are the ones that can
	   be forgotten, by age.  Rare states are found without a walk. */
	"ALTER TABLE unit RENAME COLUMN alone TO company;"
	"ALTER TABLE unit ADD COLUMN restore INTEGER NOT NULL DEFAULT 0;"
	"UPDATE unit SET finished = 2 WHERE state = 7 AND finished = 1;"
	"DROP INDEX unit_state;"
	"CREATE INDEX unit_state ON unit (state, rule);"
	"CREATE INDEX unit_left ON unit (updated) WHERE finished = 2;"
	"CREATE TABLE pause (rule TEXT PRIMARY KEY, since REAL NOT NULL,"
	" who TEXT NOT NULL) WITHOUT ROWID;",
};

static int
user_version(sqlite3 *db)
{
	sqlite3_stmt *stmt;
	int version = -1;
	if (sqlite3_prepare_v2(db, "PRAGMA user_version", -1, &stmt, NULL) != SQLITE_OK)
		return -1;
	if (sqlite3_step(stmt) == SQLITE_ROW)
		version = sqlite3_column_int(stmt, 0);
	sqlite3_finalize(stmt);
	return version;
}

int
kd_ledger_migrate(sqlite3 *db, struct kd_err *err)
{
	const int latest = (int)(sizeof steps / sizeof *steps);
	int version = user_version(db);
	if (version < 0)
		return kd_err_set(
			err, -EIO, "the ledger cannot be read: %s", sqlite3_errmsg(db));
	if (version > latest)
		return kd_err_set(err, -ENOTSUP,
			"the ledger has schema %d, made by a newer kiln; this one knows "
			"up to %d",
			version, latest);
	for (; version < latest; version++) {
		char *sql = sqlite3_mprintf(
			"BEGIN IMMEDIATE; %s PRAGMA user_version = %d; COMMIT",
			steps[version], version + 1);
		int rc = sql == NULL ? SQLITE_NOMEM
				     : sqlite3_exec(db, sql, NULL, NULL, NULL);
		sqlite3_free(sql);
		if (rc != SQLITE_OK) {
			kd_err_set(err, -EIO,
				"the ledger's schema cannot be brought to %d: %s",
				version + 1, sqlite3_errmsg(db));
			sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
			return -EIO;
		}
	}
	return 0;
}
