/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ledger's reading: what is open at start, what has the same content, and the lists
 * that kilnctl shows.
 */
#include "daemon/base/name.h"
#include "daemon/queue/ledger_order.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Columns of a unit as kilnctl sees one; the numbers below index them. */
#define UNIT_COLUMNS                                                                     \
	"id, rule, path, state, attempts, reason, output, created, updated, batch, "     \
	"sha256, size"

/* A blob column as a C string of the caller's. */
static char *
column_bytes(sqlite3_stmt *stmt, int column)
{
	const char *bytes = sqlite3_column_blob(stmt, column);
	return strndup(
		bytes == NULL ? "" : bytes, (size_t)sqlite3_column_bytes(stmt, column));
}

static json_t *
column_path(sqlite3_stmt *stmt, int column)
{
	if (sqlite3_column_type(stmt, column) == SQLITE_NULL)
		return json_null();
	char *bytes = column_bytes(stmt, column);
	char *escaped = bytes == NULL ? NULL : kd_name_escape(bytes);
	json_t *json = escaped == NULL ? json_null() : json_string(escaped);
	free(escaped);
	free(bytes);
	return json;
}

static json_t *
column_text(sqlite3_stmt *stmt, int column)
{
	const char *text = (const char *)sqlite3_column_text(stmt, column);
	return text == NULL ? json_null() : json_string(text);
}

static json_t *
column_time(sqlite3_stmt *stmt, int column)
{
	return sqlite3_column_type(stmt, column) == SQLITE_NULL
		       ? json_null()
		       : json_real(sqlite3_column_double(stmt, column));
}

static json_t *
unit_json(sqlite3_stmt *stmt)
{
	int state = sqlite3_column_int(stmt, 3);
	return json_pack("{s:I, s:o, s:o, s:s, s:I, s:o, s:o, s:o, s:o, s:o}", "id",
		(json_int_t)sqlite3_column_int64(stmt, 0), "rule", column_text(stmt, 1),
		"path", column_path(stmt, 2), "state",
		state >= 0 && state < KD_STATES ? kd_unit_state_name((enum kd_state)state)
						: "?",
		"attempts", (json_int_t)sqlite3_column_int64(stmt, 4), "reason",
		column_text(stmt, 5), "output", column_path(stmt, 6), "created",
		column_time(stmt, 7), "updated", column_time(stmt, 8), "batch",
		sqlite3_column_type(stmt, 9) == SQLITE_NULL
			? json_null()
			: json_integer(sqlite3_column_int64(stmt, 9)));
}

/* load and counts: before the thread starts, on the caller's own thread */

static struct kd_unit *
load_unit(sqlite3_stmt *stmt)
{
	char *path = column_bytes(stmt, 2);
	struct kd_unit *unit =
		path == NULL ? NULL
			     : kd_unit_new((const char *)sqlite3_column_text(stmt, 1),
				       path, (uint32_t)sqlite3_column_int(stmt, 3));
	free(path);
	if (unit == NULL)
		return NULL;
	unit->id = sqlite3_column_int64(stmt, 0);
	unit->identity.ino = (uint64_t)sqlite3_column_int64(stmt, 4);
	unit->identity.btime = sqlite3_column_int64(stmt, 5);
	unit->identity.size = sqlite3_column_int64(stmt, 6);
	unit->identity.mtime = sqlite3_column_int64(stmt, 7);
	unit->identity.fingerprint = (uint64_t)sqlite3_column_int64(stmt, 8);
	enum kd_state state = (enum kd_state)sqlite3_column_int(stmt, 9);
	unit->recorded = kd_unit_is_final(state) ? state : KD_STATE_READY;
	unit->state = state == KD_STATE_DEFERRED ? KD_STATE_DEFERRED : KD_STATE_READY;
	unit->attempts = (uint32_t)sqlite3_column_int(stmt, 10);
	unit->alone = sqlite3_column_int(stmt, 11);
	unit->not_before = sqlite3_column_double(stmt, 12);
	return unit;
}

int
kd_ledger_load(struct kd_ledger *ledger, kd_ledger_unit_fn *each, void *context,
	struct kd_err *err)
{
	sqlite3_stmt *stmt;
	int rc = sqlite3_prepare_v2(ledger->db,
		"SELECT id, rule, path, kind, ino, btime, size, mtime, fingerprint, "
		"state,"
		" attempts, alone, not_before FROM unit WHERE finished = 0 ORDER BY id",
		-1, &stmt, NULL);
	int result = 0;
	while (rc == SQLITE_OK && result == 0 &&
		(rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		struct kd_unit *unit = load_unit(stmt);
		result = unit == NULL ? -ENOMEM : each(context, unit);
		rc = SQLITE_OK;
	}
	if (result < 0)
		kd_err_errno(err, result, "the ledger's open units cannot be taken up");
	else if (rc != SQLITE_DONE)
		result = kd_err_set(err, -EIO,
			"the ledger's open units cannot be read: %s",
			sqlite3_errmsg(ledger->db));
	sqlite3_finalize(stmt);
	return result;
}

int
kd_ledger_counts(struct kd_ledger *ledger, const char *rule, uint64_t counts[KD_STATES])
{
	sqlite3_stmt *stmt;
	memset(counts, 0, KD_STATES * sizeof counts[0]);
	if (sqlite3_prepare_v2(ledger->db,
		    "SELECT state, count(*) FROM unit WHERE (?1 IS NULL OR rule = ?1)"
		    " AND finished > 0 GROUP BY state",
		    -1, &stmt, NULL) != SQLITE_OK)
		return -EIO;
	kd_ledger_bind_text(stmt, 1, rule);
	while (sqlite3_step(stmt) == SQLITE_ROW) {
		int state = sqlite3_column_int(stmt, 0);
		if (state >= 0 && state < KD_STATES)
			counts[state] = (uint64_t)sqlite3_column_int64(stmt, 1);
	}
	return sqlite3_finalize(stmt) == SQLITE_OK ? 0 : -EIO;
}

/* same */

struct same {
	struct kd_ledger_order order;
	char *rule, *revision, *output;
	char sha256[KD_HASH_HEX];
	int64_t not_unit;
	kd_ledger_same_fn *done;
	void *context;
};

static int
same_run(struct kd_ledger *ledger, struct kd_ledger_order *order)
{
	struct same *same = (struct same *)order;
	sqlite3_stmt *stmt = kd_ledger_statement(ledger,
		"SELECT output FROM unit WHERE sha256 = ? AND rule = ? AND revision = ?"
		" AND state = 3 AND id <> ? AND output IS NOT NULL ORDER BY id LIMIT 1");
	if (stmt == NULL)
		return SQLITE_ERROR;
	kd_ledger_bind_text(stmt, 1, same->sha256);
	kd_ledger_bind_text(stmt, 2, same->rule);
	kd_ledger_bind_text(stmt, 3, same->revision);
	sqlite3_bind_int64(stmt, 4, same->not_unit);
	int rc = sqlite3_step(stmt);
	if (rc == SQLITE_ROW)
		same->output = column_bytes(stmt, 0);
	sqlite3_reset(stmt);
	return rc == SQLITE_ROW || rc == SQLITE_DONE ? SQLITE_OK : rc;
}

static void
same_free(struct same *same)
{
	free(same->rule);
	free(same->revision);
	free(same->output);
	free(same);
}

static void
same_done(struct kd_ledger_order *order, int rc)
{
	struct same *same = (struct same *)order;
	same->done(same->context, rc, same->output);
	same_free(same);
}

int
kd_ledger_same(struct kd_ledger *ledger, const struct kd_ledger_same *given,
	kd_ledger_same_fn *done, void *context)
{
	struct same *same = calloc(1, sizeof *same);
	if (same == NULL)
		return -ENOMEM;
	same->order.run = same_run;
	same->order.done = same_done;
	same->rule = strdup(given->rule);
	same->revision = strdup(given->revision);
	if (same->rule == NULL || same->revision == NULL) {
		same_free(same);
		return -ENOMEM;
	}
	snprintf(same->sha256, sizeof same->sha256, "%s", given->sha256);
	same->not_unit = given->not_unit;
	same->done = done;
	same->context = context;
	kd_ledger_post(ledger, &same->order);
	return 0;
}

/* list and show */

struct query {
	struct kd_ledger_order order;
	struct kd_ledger_query wanted;
	char *rule, *path;
	json_t *json;
	kd_ledger_json_fn *done;
	void *context;
};

static int
list_run(struct kd_ledger *ledger, struct kd_ledger_order *order)
{
	struct query *query = (struct query *)order;
	sqlite3_stmt *stmt = kd_ledger_statement(ledger,
		"SELECT " UNIT_COLUMNS " FROM unit WHERE (?1 IS NULL OR rule = ?1)"
		" AND (?2 < 0 OR state = ?2) ORDER BY id DESC LIMIT ?3");
	query->json = json_array();
	if (stmt == NULL || query->json == NULL)
		return SQLITE_ERROR;
	kd_ledger_bind_text(stmt, 1, query->rule);
	sqlite3_bind_int(stmt, 2, query->wanted.state);
	sqlite3_bind_int64(stmt, 3, query->wanted.limit);
	int rc;
	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW)
		json_array_append_new(query->json, unit_json(stmt));
	sqlite3_reset(stmt);
	return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

static int
show_tries(struct kd_ledger *ledger, int64_t unit, json_t *tries)
{
	sqlite3_stmt *stmt = kd_ledger_statement(ledger,
		"SELECT batch, attempt, started, ended, status, reason FROM try"
		" WHERE unit = ? ORDER BY batch");
	if (stmt == NULL)
		return SQLITE_ERROR;
	sqlite3_bind_int64(stmt, 1, unit);
	int rc;
	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		json_t *status =
			sqlite3_column_type(stmt, 4) == SQLITE_NULL
				? json_null()
				: json_string(kd_manifest_status_name(
					  (enum kd_status)sqlite3_column_int(stmt, 4)));
		json_array_append_new(tries,
			json_pack("{s:I, s:I, s:o, s:o, s:o, s:o}", "batch",
				(json_int_t)sqlite3_column_int64(stmt, 0), "attempt",
				(json_int_t)sqlite3_column_int64(stmt, 1), "started",
				column_time(stmt, 2), "ended", column_time(stmt, 3),
				"status", status, "reason", column_text(stmt, 5)));
	}
	sqlite3_reset(stmt);
	return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

static int
show_outputs(struct kd_ledger *ledger, int64_t unit, json_t *outputs)
{
	sqlite3_stmt *stmt = kd_ledger_statement(ledger,
		"SELECT path, sha256, bytes, companion FROM output WHERE unit = ?"
		" ORDER BY companion, path");
	if (stmt == NULL)
		return SQLITE_ERROR;
	sqlite3_bind_int64(stmt, 1, unit);
	int rc;
	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW)
		json_array_append_new(outputs,
			json_pack("{s:o, s:o, s:I, s:b}", "path", column_path(stmt, 0),
				"sha256", column_text(stmt, 1), "bytes",
				(json_int_t)sqlite3_column_int64(stmt, 2), "companion",
				sqlite3_column_int(stmt, 3)));
	sqlite3_reset(stmt);
	return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

static int
show_run(struct kd_ledger *ledger, struct kd_ledger_order *order)
{
	struct query *query = (struct query *)order;
	sqlite3_stmt *stmt = kd_ledger_statement(ledger,
		"SELECT " UNIT_COLUMNS " FROM unit WHERE id = ?1 OR (?1 = 0 AND path = ?2"
		" AND (?3 IS NULL OR rule = ?3))"
		" ORDER BY id DESC LIMIT 1");
	if (stmt == NULL)
		return SQLITE_ERROR;
	sqlite3_bind_int64(stmt, 1, query->wanted.unit);
	if (query->path != NULL)
		sqlite3_bind_blob(
			stmt, 2, query->path, (int)strlen(query->path), SQLITE_STATIC);
	kd_ledger_bind_text(stmt, 3, query->rule);
	int rc = sqlite3_step(stmt);
	if (rc != SQLITE_ROW) {
		sqlite3_reset(stmt);
		return rc == SQLITE_DONE ? SQLITE_OK : rc;
	}
	int64_t unit = sqlite3_column_int64(stmt, 0);
	json_t *tries = json_array(), *outputs = json_array();
	query->json = unit_json(stmt);
	json_object_set_new(query->json, "sha256", column_text(stmt, 10));
	json_object_set_new(
		query->json, "bytes", json_integer(sqlite3_column_int64(stmt, 11)));
	sqlite3_reset(stmt);
	rc = show_tries(ledger, unit, tries);
	if (rc == SQLITE_OK)
		rc = show_outputs(ledger, unit, outputs);
	json_object_set_new(query->json, "tries", tries);
	json_object_set_new(query->json, "outputs", outputs);
	return rc;
}

static void
query_free(struct query *query)
{
	free(query->rule);
	free(query->path);
	free(query);
}

static void
query_done(struct kd_ledger_order *order, int rc)
{
	struct query *query = (struct query *)order;
	query->done(query->context, rc, query->json);
	query_free(query);
}

static int
post_query(struct kd_ledger *ledger, const struct kd_ledger_query *wanted,
	struct query *query)
{
	if (query == NULL)
		return -ENOMEM;
	query->order.done = query_done;
	query->wanted = *wanted;
	query->rule = wanted->rule == NULL ? NULL : strdup(wanted->rule);
	query->path = wanted->path == NULL ? NULL : strdup(wanted->path);
	if ((wanted->rule != NULL && query->rule == NULL) ||
		(wanted->path != NULL && query->path == NULL)) {
		query_free(query);
		return -ENOMEM;
	}
	kd_ledger_post(ledger, &query->order);
	return 0;
}

static struct query *
new_query(int (*run)(struct kd_ledger *, struct kd_ledger_order *),
	kd_ledger_json_fn *done, void *context)
{
	struct query *query = calloc(1, sizeof *query);
	if (query == NULL)
		return NULL;
	query->order.run = run;
	query->done = done;
	query->context = context;
	return query;
}

int
kd_ledger_list(struct kd_ledger *ledger, const struct kd_ledger_query *wanted,
	kd_ledger_json_fn *done, void *context)
{
	return post_query(ledger, wanted, new_query(list_run, done, context));
}

int
kd_ledger_show(struct kd_ledger *ledger, const struct kd_ledger_query *wanted,
	kd_ledger_json_fn *done, void *context)
{
	return post_query(ledger, wanted, new_query(show_run, done, context));
}
