/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ledger's writing orders of a batch: start, record, finish.  Each copies what it was
 * given, for the caller's memory is gone when the thread gets to it.
 */
#include "daemon/queue/ledger_order.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* start */

struct start {
	struct kd_ledger_order order;
	char *rule, *revision;
	int64_t batch;
	kd_ledger_start_fn *done;
	void *context;
	uint32_t unit_count;
	int64_t units[];
};

static int
start_unit(struct kd_ledger *ledger, int64_t unit, int64_t batch, double now)
{
	/* One that has ended stays so: only its input is to be disposed of. */
	sqlite3_stmt *stmt = kd_ledger_statement(ledger,
		"UPDATE unit SET state = CASE WHEN state < 3 THEN 1 ELSE state END,"
		" attempts = attempts + 1, batch = ?2, updated = ?3 WHERE id = ?1");
	if (stmt == NULL)
		return SQLITE_ERROR;
	sqlite3_bind_int64(stmt, 1, unit);
	sqlite3_bind_int64(stmt, 2, batch);
	sqlite3_bind_double(stmt, 3, now);
	int rc = kd_ledger_step(stmt);
	if (rc != SQLITE_OK)
		return rc;
	stmt = kd_ledger_statement(ledger,
		"INSERT INTO try (unit, batch, attempt, started)"
		" SELECT id, ?2, attempts, ?3 FROM unit WHERE id = ?1");
	if (stmt == NULL)
		return SQLITE_ERROR;
	sqlite3_bind_int64(stmt, 1, unit);
	sqlite3_bind_int64(stmt, 2, batch);
	sqlite3_bind_double(stmt, 3, now);
	return kd_ledger_step(stmt);
}

static int
start_run(struct kd_ledger *ledger, struct kd_ledger_order *order)
{
	struct start *start = (struct start *)order;
	double now = kd_ledger_now();
	sqlite3_stmt *stmt = kd_ledger_statement(
		ledger, "INSERT INTO batch (rule, revision, started) VALUES (?, ?, ?)");
	if (stmt == NULL)
		return SQLITE_ERROR;
	kd_ledger_bind_text(stmt, 1, start->rule);
	kd_ledger_bind_text(stmt, 2, start->revision);
	sqlite3_bind_double(stmt, 3, now);
	int rc = kd_ledger_step(stmt);
	start->batch = sqlite3_last_insert_rowid(ledger->db);
	for (uint32_t i = 0; i < start->unit_count && rc == SQLITE_OK; i++)
		rc = start_unit(ledger, start->units[i], start->batch, now);
	return rc;
}

static void
start_free(struct start *start)
{
	free(start->rule);
	free(start->revision);
	free(start);
}

static void
start_done(struct kd_ledger_order *order, int rc)
{
	struct start *start = (struct start *)order;
	start->done(start->context, rc, start->batch);
	start_free(start);
}

int
kd_ledger_start(struct kd_ledger *ledger, const struct kd_ledger_start *given,
	kd_ledger_start_fn *done, void *context)
{
	struct start *start =
		calloc(1, sizeof *start + given->unit_count * sizeof start->units[0]);
	if (start == NULL)
		return -ENOMEM;
	start->order.run = start_run;
	start->order.done = start_done;
	start->rule = strdup(given->rule);
	start->revision = strdup(given->revision);
	if (start->rule == NULL || start->revision == NULL) {
		start_free(start);
		return -ENOMEM;
	}
	start->done = done;
	start->context = context;
	start->unit_count = given->unit_count;
	memcpy(start->units, given->units, given->unit_count * sizeof start->units[0]);
	kd_ledger_post(ledger, &start->order);
	return 0;
}

/* record */

struct recorded_output {
	char *path; /* absolute */
	char sha256[KD_HASH_HEX];
	uint64_t bytes;
	int companion;
};

struct recorded_unit {
	int64_t unit;
	enum kd_state state;
	double not_before;
	uint32_t company;
	int refund, open, status;
	char *reason, *primary;
	char sha256[KD_HASH_HEX];
	uint32_t output_count;
	struct recorded_output *outputs;
};

struct record {
	struct kd_ledger_order order;
	int64_t batch;
	char *failure, *variant, *device, *revision;
	kd_ledger_done_fn *done;
	void *context;
	uint32_t unit_count;
	struct recorded_unit units[];
};

static int
record_output(
	struct kd_ledger *ledger, int64_t unit, const struct recorded_output *output)
{
	sqlite3_stmt *stmt = kd_ledger_statement(ledger,
		"INSERT OR REPLACE INTO output (unit, path, sha256, bytes, companion)"
		" VALUES (?, ?, ?, ?, ?)");
	if (stmt == NULL)
		return SQLITE_ERROR;
	sqlite3_bind_int64(stmt, 1, unit);
	sqlite3_bind_blob(
		stmt, 2, output->path, (int)strlen(output->path), SQLITE_STATIC);
	kd_ledger_bind_text(stmt, 3, output->sha256);
	sqlite3_bind_int64(stmt, 4, (int64_t)output->bytes);
	sqlite3_bind_int(stmt, 5, output->companion);
	return kd_ledger_step(stmt);
}

static int
record_unit(struct kd_ledger *ledger, const struct record *record,
	const struct recorded_unit *unit, double now)
{
	sqlite3_stmt *stmt = kd_ledger_statement(ledger,
		"UPDATE unit SET state = ?2, not_before = ?3, company = ?4, reason = ?5,"
		" sha256 = coalesce(?6, sha256), output = coalesce(?7, output),"
		" attempts = attempts - ?8, updated = ?9,"
		" restore = CASE WHEN ?2 < 3 THEN restore WHEN ?2 < 6 THEN restore & 2"
		" ELSE 0 END,"
		" finished = CASE ?2 WHEN 7 THEN 2 WHEN 8 THEN 1 - ?12 ELSE 0 END,"
		" revision = coalesce(?11, (SELECT revision FROM batch WHERE id = ?10))"
		" WHERE id = ?1");
	if (stmt == NULL)
		return SQLITE_ERROR;
	sqlite3_bind_int64(stmt, 1, unit->unit);
	sqlite3_bind_int(stmt, 2, (int)unit->state);
	sqlite3_bind_double(stmt, 3, unit->not_before);
	sqlite3_bind_int64(stmt, 4, unit->company);
	kd_ledger_bind_text(stmt, 5, unit->reason);
	kd_ledger_bind_text(stmt, 6, unit->sha256[0] == '\0' ? NULL : unit->sha256);
	if (unit->primary != NULL)
		sqlite3_bind_blob(stmt, 7, unit->primary, (int)strlen(unit->primary),
			SQLITE_STATIC);
	sqlite3_bind_int(stmt, 8, unit->refund);
	sqlite3_bind_double(stmt, 9, now);
	sqlite3_bind_int64(stmt, 10, record->batch);
	kd_ledger_bind_text(stmt, 11, record->revision);
	sqlite3_bind_int(stmt, 12, unit->open);
	int rc = kd_ledger_step(stmt);
	if (rc != SQLITE_OK)
		return rc;
	stmt = kd_ledger_statement(ledger,
		"UPDATE try SET ended = ?3, status = ?4, reason = ?5"
		" WHERE unit = ?1 AND batch = ?2");
	if (stmt == NULL)
		return SQLITE_ERROR;
	sqlite3_bind_int64(stmt, 1, unit->unit);
	sqlite3_bind_int64(stmt, 2, record->batch);
	sqlite3_bind_double(stmt, 3, now);
	sqlite3_bind_int(stmt, 4, unit->status);
	kd_ledger_bind_text(stmt, 5, unit->reason);
	rc = kd_ledger_step(stmt);
	for (uint32_t i = 0; i < unit->output_count && rc == SQLITE_OK; i++)
		rc = record_output(ledger, unit->unit, &unit->outputs[i]);
	return rc;
}

static int
record_run(struct kd_ledger *ledger, struct kd_ledger_order *order)
{
	struct record *record = (struct record *)order;
	double now = kd_ledger_now();
	int rc = SQLITE_OK;
	for (uint32_t i = 0; i < record->unit_count && rc == SQLITE_OK; i++)
		rc = record_unit(ledger, record, &record->units[i], now);
	if (rc != SQLITE_OK)
		return rc;
	sqlite3_stmt *stmt =
		kd_ledger_statement(ledger, "UPDATE batch SET ended = ?, failure = ?, "
					    "variant = ?, device = ? WHERE id = ?");
	if (stmt == NULL)
		return SQLITE_ERROR;
	sqlite3_bind_double(stmt, 1, now);
	kd_ledger_bind_text(stmt, 2, record->failure);
	kd_ledger_bind_text(stmt, 3, record->variant);
	kd_ledger_bind_text(stmt, 4, record->device);
	sqlite3_bind_int64(stmt, 5, record->batch);
	return kd_ledger_step(stmt);
}

static void
record_free(struct record *record)
{
	for (uint32_t i = 0; i < record->unit_count; i++) {
		struct recorded_unit *unit = &record->units[i];
		for (uint32_t j = 0; j < unit->output_count; j++)
			free(unit->outputs[j].path);
		free(unit->outputs);
		free(unit->reason);
		free(unit->primary);
	}
	free(record->failure);
	free(record->variant);
	free(record->device);
	free(record->revision);
	free(record);
}

static void
record_done(struct kd_ledger_order *order, int rc)
{
	struct record *record = (struct record *)order;
	record->done(record->context, rc);
	record_free(record);
}

/* strdup that passes NULL through and counts what failed. */
static char *
copy_text(const char *text, int *failed)
{
	char *copy = text == NULL ? NULL : strdup(text);
	*failed |= text != NULL && copy == NULL;
	return copy;
}

static void
copy_outputs(struct recorded_unit *unit, const struct kd_ledger_record *given,
	const struct kd_result_unit *result, int *failed)
{
	unit->outputs = calloc(result->output_count + 1, sizeof *unit->outputs);
	if (unit->outputs == NULL) {
		*failed = 1;
		return;
	}
	for (uint32_t i = 0; i < result->output_count; i++) {
		struct recorded_output *to = &unit->outputs[i];
		const struct kd_output *from = &result->outputs[i];
		size_t length = strlen(given->out) + strlen(from->path) + 2;
		to->path = malloc(length);
		if (to->path == NULL) {
			*failed = 1;
			return;
		}
		snprintf(to->path, length, "%s/%s", given->out, from->path);
		memcpy(to->sha256, from->sha256, sizeof to->sha256);
		to->bytes = from->bytes;
		to->companion = from->companion;
		unit->output_count++;
	}
}

int
kd_ledger_record(struct kd_ledger *ledger, const struct kd_ledger_record *given,
	kd_ledger_done_fn *done, void *context)
{
	struct record *record = calloc(
		1, sizeof *record + given->outcome_count * sizeof record->units[0]);
	if (record == NULL)
		return -ENOMEM;
	int failed = 0;
	record->order.run = record_run;
	record->order.done = record_done;
	record->batch = given->batch;
	record->failure = copy_text(given->failure, &failed);
	record->variant = copy_text(given->variant, &failed);
	record->device = copy_text(given->device, &failed);
	record->revision = copy_text(given->revision, &failed);
	record->done = done;
	record->context = context;
	record->unit_count = given->outcome_count;
	for (uint32_t i = 0; i < given->outcome_count; i++) {
		const struct kd_ledger_outcome *from = &given->outcomes[i];
		struct recorded_unit *to = &record->units[i];
		to->unit = from->unit;
		to->state = from->state;
		to->not_before = from->not_before;
		to->company = from->company;
		to->refund = from->refund;
		to->open = from->open != 0;
		to->status = from->result == NULL ? (int)KD_UNIT_CRASHED
						  : (int)from->result->status;
		to->reason = copy_text(from->reason, &failed);
		if (from->result == NULL)
			continue;
		to->primary = copy_text(from->result->primary, &failed);
		memcpy(to->sha256, from->result->sha256, sizeof to->sha256);
		copy_outputs(to, given, from->result, &failed);
	}
	if (failed) {
		record_free(record);
		return -ENOMEM;
	}
	kd_ledger_post(ledger, &record->order);
	return 0;
}

/* finish */

struct finish {
	struct kd_ledger_order order;
	kd_ledger_done_fn *done;
	void *context;
	uint32_t unit_count;
	struct kd_ledger_closed units[];
};

static int
finish_run(struct kd_ledger *ledger, struct kd_ledger_order *order)
{
	struct finish *finish = (struct finish *)order;
	int rc = SQLITE_OK;
	for (uint32_t i = 0; i < finish->unit_count && rc == SQLITE_OK; i++) {
		sqlite3_stmt *stmt = kd_ledger_statement(ledger,
			"UPDATE unit SET finished = 1 + ?2,"
			" restore = restore * (1 - ?2) WHERE id = ?1");
		if (stmt == NULL)
			return SQLITE_ERROR;
		sqlite3_bind_int64(stmt, 1, finish->units[i].unit);
		sqlite3_bind_int(stmt, 2, finish->units[i].left != 0);
		rc = kd_ledger_step(stmt);
	}
	return rc;
}

static void
finish_done(struct kd_ledger_order *order, int rc)
{
	struct finish *finish = (struct finish *)order;
	finish->done(finish->context, rc);
	free(finish);
}

int
kd_ledger_finish(struct kd_ledger *ledger, const struct kd_ledger_closed *units,
	uint32_t unit_count, kd_ledger_done_fn *done, void *context)
{
	struct finish *finish =
		calloc(1, sizeof *finish + unit_count * sizeof finish->units[0]);
	if (finish == NULL)
		return -ENOMEM;
	finish->order.run = finish_run;
	finish->order.done = finish_done;
	finish->done = done;
	finish->context = context;
	finish->unit_count = unit_count;
	memcpy(finish->units, units, unit_count * sizeof finish->units[0]);
	kd_ledger_post(ledger, &finish->order);
	return 0;
}
