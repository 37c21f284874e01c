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
	"sha256, size, finished"

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

/* load, counts and pauses: before the thread starts, on the caller's own thread */

struct kd_unit *
kd_ledger_unit(sqlite3_stmt *stmt)
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
	if (kd_unit_is_final(state))
		kd_unit_note_end(unit, state, (const char *)sqlite3_column_text(stmt, 14),
			(const char *)sqlite3_column_text(stmt, 15));
	unit->astray = sqlite3_column_int(stmt, 16) != 0;
	unit->state = state == KD_STATE_DEFERRED ? KD_STATE_DEFERRED : KD_STATE_READY;
	unit->attempts = (uint32_t)sqlite3_column_int(stmt, 10);
	unit->company = (uint32_t)sqlite3_column_int(stmt, 11);
	unit->not_before = sqlite3_column_double(stmt, 12);
	unit->restore = (sqlite3_column_int(stmt, 13) & 1) != 0;
	unit->returned = (sqlite3_column_int(stmt, 13) & 4) != 0;
	return unit;
}

int
kd_ledger_load(struct kd_ledger *ledger, kd_ledger_unit_fn *each, void *context,
	struct kd_err *err)
{
	sqlite3_stmt *stmt;
	/* Deferred ones by their time, which is the order the queue keeps them in. */
	int rc = sqlite3_prepare_v2(ledger->db,
		"SELECT " KD_LEDGER_UNIT " FROM unit WHERE finished = 0"
		" ORDER BY CASE state WHEN 2 THEN not_before ELSE 0 END, id",
		-1, &stmt, NULL);
	int result = 0;
	while (rc == SQLITE_OK && result == 0 &&
		(rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		struct kd_unit *unit = kd_ledger_unit(stmt);
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
kd_ledger_counts(struct kd_ledger *ledger, kd_ledger_count_fn *each, void *context)
{
	sqlite3_stmt *stmt;
	/* All that are final, from the index alone, but for the few still open. */
	if (sqlite3_prepare_v2(ledger->db,
		    "SELECT rule, state, sum(n) FROM (SELECT rule, state, count(*) AS n"
		    " FROM unit WHERE state >= 3 GROUP BY state, rule UNION ALL"
		    " SELECT rule, state, -count(*) FROM unit WHERE finished = 0"
		    " AND state >= 3 GROUP BY state, rule) GROUP BY rule, state",
		    -1, &stmt, NULL) != SQLITE_OK)
		return -EIO;
	while (sqlite3_step(stmt) == SQLITE_ROW) {
		int state = sqlite3_column_int(stmt, 1);
		if (state >= 0 && state < KD_STATES)
			each(context, (const char *)sqlite3_column_text(stmt, 0),
				(enum kd_state)state,
				(uint64_t)sqlite3_column_int64(stmt, 2));
	}
	return sqlite3_finalize(stmt) == SQLITE_OK ? 0 : -EIO;
}

int
kd_ledger_pauses(struct kd_ledger *ledger, kd_ledger_pause_fn *each, void *context,
	struct kd_err *err)
{
	sqlite3_stmt *stmt;
	int result = 0, rc = sqlite3_prepare_v2(ledger->db,
				"SELECT rule, since, who FROM pause", -1, &stmt, NULL);
	while (rc == SQLITE_OK && result == 0 &&
		(rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		const char *rule = (const char *)sqlite3_column_text(stmt, 0);
		result = each(context, rule[0] == '\0' ? NULL : rule,
			sqlite3_column_double(stmt, 1),
			(const char *)sqlite3_column_text(stmt, 2));
		rc = SQLITE_OK;
	}
	sqlite3_finalize(stmt);
	if (result == 0 && rc != SQLITE_DONE)
		result = -EIO;
	return result == 0
		       ? 0
		       : kd_err_errno(err, result, "the ledger's pauses cannot be read");
}

/* same */

struct same {
	struct kd_ledger_order order;
	char *rule, *revision, *path, *output;
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
		" AND state = 3 AND id <> ? AND output IS NOT NULL"
		" AND (?5 IS NULL OR path = ?5) ORDER BY id LIMIT 1");
	if (stmt == NULL)
		return SQLITE_ERROR;
	kd_ledger_bind_text(stmt, 1, same->sha256);
	kd_ledger_bind_text(stmt, 2, same->rule);
	kd_ledger_bind_text(stmt, 3, same->revision);
	sqlite3_bind_int64(stmt, 4, same->not_unit);
	if (same->path != NULL)
		sqlite3_bind_blob(
			stmt, 5, same->path, (int)strlen(same->path), SQLITE_STATIC);
	else
		sqlite3_bind_null(stmt, 5);
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
	free(same->path);
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
	same->path = given->path == NULL ? NULL : strdup(given->path);
	if (same->rule == NULL || same->revision == NULL ||
		(given->path != NULL && same->path == NULL)) {
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

/* By number downwards; of a state that few units are in by its index instead, for the walk
 * would go a long way to find them. */
static sqlite3_stmt *
list_statement(struct kd_ledger *ledger, const struct query *query)
{
	switch (query->wanted.state) {
	case -1:
		return kd_ledger_statement(ledger,
			"SELECT " UNIT_COLUMNS
			" FROM unit WHERE id < ?4 AND (?1 IS NULL OR rule = ?1)"
			" ORDER BY id DESC LIMIT ?3");
	case KD_STATE_READY:
	case KD_STATE_PUBLISHED:
	case KD_STATE_SKIPPED:
		if (query->rule == NULL)
			return kd_ledger_statement(ledger,
				"SELECT " UNIT_COLUMNS
				" FROM unit WHERE id < ?4 AND +state = ?2 ORDER BY id "
				"DESC LIMIT ?3");
		return kd_ledger_statement(ledger,
			"SELECT " UNIT_COLUMNS " FROM unit WHERE rule = ?1 AND state = ?2"
			" AND id < ?4 ORDER BY id DESC LIMIT ?3");
	default:
		return kd_ledger_statement(ledger,
			"SELECT " UNIT_COLUMNS " FROM unit INDEXED BY unit_state"
			" WHERE state = ?2 AND id < ?4 AND (?1 IS NULL OR rule = ?1)"
			" ORDER BY id DESC LIMIT ?3");
	}
}

static int
list_run(struct kd_ledger *ledger, struct kd_ledger_order *order)
{
	struct query *query = (struct query *)order;
	sqlite3_stmt *stmt = list_statement(ledger, query);
	query->json = json_array();
	if (stmt == NULL || query->json == NULL)
		return SQLITE_ERROR;
	if (sqlite3_bind_parameter_index(stmt, "?1") != 0)
		kd_ledger_bind_text(stmt, 1, query->rule);
	if (sqlite3_bind_parameter_index(stmt, "?2") != 0)
		sqlite3_bind_int(stmt, 2, query->wanted.state);
	sqlite3_bind_int64(stmt, 3, query->wanted.limit);
	sqlite3_bind_int64(
		stmt, 4, query->wanted.before > 0 ? query->wanted.before : INT64_MAX);
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

/* A path belongs to a rule; without one, to any that has had units. */
static sqlite3_stmt *
show_statement(struct kd_ledger *ledger, const struct query *query)
{
	sqlite3_stmt *stmt;
	int64_t unit = query->wanted.unit;
	int is_member =
		query->path != NULL && query->rule != NULL && query->wanted.member != 0;
	if (is_member) {
		struct kd_ledger_query wanted = query->wanted;
		wanted.rule = query->rule;
		wanted.path = query->path;
		if (kd_ledger_member(ledger, &wanted, &unit) != SQLITE_OK)
			return NULL;
	}
	if (query->path == NULL || is_member) {
		stmt = kd_ledger_statement(
			ledger, "SELECT " UNIT_COLUMNS " FROM unit WHERE id = ?");
		if (stmt != NULL)
			sqlite3_bind_int64(stmt, 1, unit);
		return stmt;
	}
	stmt = query->rule != NULL
		       ? kd_ledger_statement(ledger,
				 "SELECT " UNIT_COLUMNS " FROM unit WHERE path = ?1"
				 " AND rule = ?2 ORDER BY id DESC LIMIT 1")
		       : kd_ledger_statement(ledger,
				 "WITH RECURSIVE known (rule) AS (SELECT min(rule) FROM "
				 "unit"
				 " UNION ALL SELECT (SELECT min(rule) FROM unit"
				 " WHERE rule > known.rule) FROM known"
				 " WHERE known.rule IS NOT NULL)"
				 " SELECT " UNIT_COLUMNS " FROM unit WHERE path = ?1"
				 " AND rule IN (SELECT rule FROM known)"
				 " ORDER BY id DESC LIMIT 1");
	if (stmt == NULL)
		return NULL;
	sqlite3_bind_blob(stmt, 1, query->path, (int)strlen(query->path), SQLITE_STATIC);
	if (query->rule != NULL)
		kd_ledger_bind_text(stmt, 2, query->rule);
	return stmt;
}

static int
show_run(struct kd_ledger *ledger, struct kd_ledger_order *order)
{
	struct query *query = (struct query *)order;
	sqlite3_stmt *stmt = show_statement(ledger, query);
	if (stmt == NULL)
		return SQLITE_ERROR;
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
	json_object_set_new(
		query->json, "left", json_boolean(sqlite3_column_int(stmt, 12) == 2));
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
