/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ledger as a file: older schemas are brought forward and ones from the future refused,
 * a second daemon is kept out, pauses outlive it, what is old is forgotten, and a backup is
 * whole.
 */
#include "tests/queue/book.h"
#include "plugins/kiln_plugin.h"

#include <errno.h>
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void
a_schema_from_the_future_is_refused(void **state)
{
	(void)state;
	sqlite3 *db;
	struct kd_err err = {0};
	sqlite3_open(book.path, &db);
	sqlite3_exec(db, "PRAGMA user_version = 99", NULL, NULL, NULL);
	sqlite3_close(db);
	assert_int_equal(
		kd_ledger_open(book.path, book.loop, &book.ledger, &err), -ENOTSUP);
	assert_non_null(strstr(err.text, "schema 99, made by a newer kiln"));
}

static void
garbage_is_refused(void **state)
{
	(void)state;
	struct kd_err err = {0};
	FILE *file = fopen(book.path, "w");
	for (int i = 0; i < 1000; i++)
		fputs("this is no database ", file);
	fclose(file);
	assert_int_equal(kd_ledger_open(book.path, book.loop, &book.ledger, &err), -EIO);
	assert_non_null(strstr(err.text, "not a database"));
}

static void
a_second_daemon_is_kept_out(void **state)
{
	(void)state;
	struct kd_ledger *second;
	struct kd_err err = {0};
	book_open();
	assert_int_equal(kd_ledger_open(book.path, book.loop, &second, &err), -EAGAIN);
	assert_non_null(strstr(err.text, "another kilnd"));
}

/* Runs the fixture's SQL into a new database. */
static void
make_schema_1(void)
{
	char name[400], sql[8192];
	const char *top = getenv("top_srcdir");
	snprintf(name, sizeof name, "%s/tests/queue/schema-1.sql",
		top == NULL ? "." : top);
	FILE *file = fopen(name, "r");
	assert_non_null(file);
	sql[fread(sql, 1, sizeof sql - 1, file)] = '\0';
	fclose(file);
	sqlite3 *db;
	assert_int_equal(sqlite3_open(book.path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

static void
an_older_schema_is_brought_forward(void **state)
{
	(void)state;
	make_schema_1();
	book_open();
	book.loaded_count = 0;
	assert_int_equal(kd_ledger_load(book.ledger, book_on_load, NULL, NULL), 0);
	assert_int_equal(book.loaded_count, 4);
	assert_int_equal(book.loaded[0].id, 1);
	assert_int_equal(book.loaded[1].id, 2);
	assert_int_equal(book.loaded[1].company, 1);
	assert_int_equal(book.loaded[2].recorded, KD_STATE_PUBLISHED);
	assert_int_equal(book.loaded[3].id, 3);
	memset(book.counts, 0, sizeof book.counts);
	assert_int_equal(kd_ledger_counts(book.ledger, book_on_count, NULL), 0);
	assert_int_equal(book.counts[KD_STATE_PUBLISHED], 1);
	assert_int_equal(book.counts[KD_STATE_FAILED], 1);
	assert_int_equal(book.counts[KD_STATE_GONE], 1);
	book_begin();
	/* What was gone is fresh as ever, and its content is remembered. */
	struct kd_unit *gone = kd_unit_new("rule", "gone", KILN_FILE);
	gone->identity =
		(struct kd_identity){.ino = 17, .btime = 1, .size = 10, .mtime = 1};
	assert_int_equal(kd_ledger_offer(book.ledger, gone, book_on_offer, NULL), 0);
	kd_unit_free(gone);
	ev_run(book.loop, 0);
	assert_true(book.got.fresh && book.got.id == 7);
	struct kd_ledger_same same = {"rule", "rev", book_sum, 0, NULL};
	kd_ledger_same(book.ledger, &same, book_on_same, NULL);
	ev_run(book.loop, 0);
	assert_string_equal(book.got.output, "/out/p");
}

static char paused[100];

static int
on_pause(void *context, const char *rule, double since, const char *who)
{
	(void)context;
	assert_true(since > 0);
	snprintf(paused + strlen(paused), sizeof paused - strlen(paused), "%s by %s;",
		rule == NULL ? "all" : rule, who);
	return 0;
}

static void
pause_rule(const char *rule, int on)
{
	struct kd_ledger_pause given = {rule, "ann", on};
	assert_int_equal(kd_ledger_pause(book.ledger, &given, book_on_done, NULL), 0);
	ev_run(book.loop, 0);
	assert_int_equal(book.got.rc, 0);
}

static void
pauses_outlive_the_daemon(void **state)
{
	(void)state;
	book_open();
	book_begin();
	pause_rule(NULL, 1);
	pause_rule("rule", 1);
	pause_rule("rule", 1);
	pause_rule("other", 1);
	pause_rule("other", 0);
	kd_ledger_close(book.ledger);
	book_open();
	paused[0] = '\0';
	assert_int_equal(kd_ledger_pauses(book.ledger, on_pause, NULL, NULL), 0);
	assert_string_equal(paused, "all by ann;rule by ann;");
}

static void
on_prune(void *context, int rc, const struct kd_ledger_forgot *forgot, size_t count)
{
	(void)context;
	book_on_offer(NULL, rc, 0, 0);
	for (size_t i = 0; i < count; i++) {
		assert_string_equal(forgot[i].rule, "rule");
		book.got.id += (int64_t)forgot[i].count;
	}
}

/* How many units one slice forgot. */
static int64_t
prune(double before)
{
	assert_int_equal(kd_ledger_prune(book.ledger, before, on_prune, NULL), 0);
	ev_run(book.loop, 0);
	assert_int_equal(book.got.rc, 0);
	return book.got.id;
}

static void
only_what_is_old_and_away_is_forgotten(void **state)
{
	(void)state;
	const double future = 4e9;
	book_open();
	book_begin();
	int64_t away = book_offer("away", 1), stays = book_offer("stays", 1),
		open = book_offer("open", 1);
	book_record(away, book_start(away), KD_STATE_PUBLISHED, KD_UNIT_PUBLISHED);
	book_record(stays, book_start(stays), KD_STATE_PUBLISHED, KD_UNIT_PUBLISHED);
	book_start(open);
	book_finish(away, 1);
	book_finish(stays, 0);
	assert_int_equal(prune(1), 0);
	assert_int_equal(prune(future), 1);
	assert_int_equal(prune(future), 0);
	struct kd_ledger_query query = {.unit = away};
	kd_ledger_show(book.ledger, &query, book_on_json, NULL);
	ev_run(book.loop, 0);
	assert_null(book.got.json);
	/* The batches that have ended went, the one under way did not. */
	book_record(open, 3, KD_STATE_PUBLISHED, KD_UNIT_PUBLISHED);
	struct kd_ledger_same same = {"rule", "rev", book_sum, stays, NULL};
	kd_ledger_same(book.ledger, &same, book_on_same, NULL);
	ev_run(book.loop, 0);
	assert_string_equal(book.got.output, "/out/a.npz");
	assert_int_equal(book_offer("stays", 1), stays);
	assert_false(book.got.fresh);
	book_count_again();
	assert_int_equal(book.counts[KD_STATE_PUBLISHED], 1);
}

static int backup_fd;

static void
on_backup(void *context, int rc, int fd)
{
	(void)context;
	backup_fd = fd;
	book_on_offer(NULL, rc, 0, 0);
}

/* Ends the loop when the last of the offers is in. */
static void
on_one_of_many(void *context, int rc, int64_t id, enum kd_ledger_news fresh)
{
	(void)id;
	(void)fresh;
	assert_int_equal(rc, 0);
	if (--*(int *)context == 0)
		ev_break(book.loop, EVBREAK_ALL);
}

static void
a_backup_is_whole_and_nobody_waits_for_it(void **state)
{
	(void)state;
	enum { MANY = 30000 };
	book_open();
	book_begin();
	int left = MANY;
	for (int i = 0; i < MANY; i++) {
		char name[20];
		snprintf(name, sizeof name, "%d", i);
		struct kd_unit *unit = kd_unit_new("rule", name, KILN_FILE);
		assert_int_equal(
			kd_ledger_offer(book.ledger, unit, on_one_of_many, &left), 0);
		kd_unit_free(unit);
	}
	ev_run(book.loop, 0);
	assert_int_equal(kd_ledger_backup(book.ledger, on_backup, NULL), 0);
	assert_int_equal(kd_ledger_backup(book.ledger, on_backup, NULL), -EBUSY);
	/* There are enough pages for several slices: this one gets in between. */
	backup_fd = -1;
	struct kd_unit *unit = kd_unit_new("rule", "meanwhile", KILN_FILE);
	left = 1;
	assert_int_equal(kd_ledger_offer(book.ledger, unit, on_one_of_many, &left), 0);
	kd_unit_free(unit);
	while (left > 0)
		ev_run(book.loop, EVRUN_ONCE);
	assert_int_equal(backup_fd, -1);
	while (backup_fd < 0)
		ev_run(book.loop, EVRUN_ONCE);
	assert_int_equal(book.got.rc, 0);
	/* The file has no name any more: the copy that kilnctl makes has. */
	char name[120], buffer[4096];
	sqlite3 *db;
	sqlite3_stmt *stmt;
	ssize_t got_bytes;
	snprintf(name, sizeof name, "%s.copy", book.path);
	FILE *copy = fopen(name, "w");
	while ((got_bytes = read(backup_fd, buffer, sizeof buffer)) > 0)
		fwrite(buffer, 1, (size_t)got_bytes, copy);
	fclose(copy);
	assert_int_equal(
		sqlite3_open_v2(name, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db,
				 "SELECT count(*), (SELECT integrity_check FROM"
				 " pragma_integrity_check) FROM unit",
				 -1, &stmt, NULL),
		SQLITE_OK);
	assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
	assert_int_equal(sqlite3_column_int(stmt, 0), MANY + 1);
	assert_string_equal((const char *)sqlite3_column_text(stmt, 1), "ok");
	sqlite3_finalize(stmt);
	sqlite3_close(db);
	unlink(name);
	close(backup_fd);
	snprintf(name, sizeof name, "%s.backup", book.path);
	assert_int_equal(access(name, F_OK), -1);
	/* The next one may begin; a ledger that is closed gives it up. */
	assert_int_equal(kd_ledger_backup(book.ledger, on_backup, NULL), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		BOOK_TEST(a_schema_from_the_future_is_refused),
		BOOK_TEST(garbage_is_refused),
		BOOK_TEST(a_second_daemon_is_kept_out),
		BOOK_TEST(an_older_schema_is_brought_forward),
		BOOK_TEST(pauses_outlive_the_daemon),
		BOOK_TEST(only_what_is_old_and_away_is_forgotten),
		BOOK_TEST(a_backup_is_whole_and_nobody_waits_for_it),
	};
	return cmocka_run_group_tests_name("queue/ledger_keep", tests, NULL, NULL);
}
