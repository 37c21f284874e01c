/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/queue/book.h"

#include "plugins/kiln_plugin.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct book book;
const char book_sum[] =
	"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

void
book_open(void)
{
	struct kd_err err = {0};
	assert_int_equal(kd_ledger_open(book.path, book.loop, &book.ledger, &err), 0);
}

void
book_begin(void)
{
	assert_int_equal(kd_ledger_begin(book.ledger, NULL), 0);
}

int
book_set_up(void **state)
{
	(void)state;
	memset(&book, 0, sizeof book);
	strcpy(book.folder, "/tmp/kiln-t-ledger.XXXXXX");
	if (mkdtemp(book.folder) == NULL)
		return -1;
	snprintf(book.path, sizeof book.path, "%s/ledger.db", book.folder);
	book.loop = ev_loop_new(0);
	return book.loop == NULL ? -1 : 0;
}

int
book_tear_down(void **state)
{
	(void)state;
	kd_ledger_close(book.ledger);
	ev_loop_destroy(book.loop);
	json_decref(book.got.json);
	static const char *const ends[] = {"", "-wal", "-shm"};
	for (int i = 0; i < 3; i++) {
		char name[96];
		snprintf(name, sizeof name, "%s%s", book.path, ends[i]);
		unlink(name);
	}
	return rmdir(book.folder);
}

void
book_on_offer(void *context, int rc, int64_t id, enum kd_ledger_news fresh)
{
	(void)context;
	book.got.rc = rc;
	book.got.id = id;
	book.got.fresh = fresh;
	ev_break(book.loop, EVBREAK_ALL);
}

void
book_on_start(void *context, int rc, int64_t batch)
{
	book_on_offer(context, rc, batch, KD_LEDGER_KNOWN);
}

void
book_on_done(void *context, int rc)
{
	book_on_offer(context, rc, 0, 0);
}

void
book_on_same(void *context, int rc, const char *output)
{
	snprintf(book.got.output, sizeof book.got.output, "%s",
		output == NULL ? "" : output);
	book_on_offer(context, rc, 0, 0);
}

void
book_on_json(void *context, int rc, json_t *json)
{
	json_decref(book.got.json);
	book.got.json = json;
	book_on_offer(context, rc, 0, 0);
}

int64_t
book_offer(const char *name, int64_t mtime)
{
	struct kd_unit *unit = kd_unit_new("rule", name, KILN_FILE);
	unit->identity = (struct kd_identity){.ino = 1, .size = 10, .mtime = mtime};
	assert_int_equal(kd_ledger_offer(book.ledger, unit, book_on_offer, NULL), 0);
	kd_unit_free(unit);
	ev_run(book.loop, 0);
	assert_int_equal(book.got.rc, 0);
	return book.got.id;
}

int64_t
book_start(int64_t unit)
{
	struct kd_ledger_start given = {"rule", "rev", &unit, 1};
	assert_int_equal(kd_ledger_start(book.ledger, &given, book_on_start, NULL), 0);
	ev_run(book.loop, 0);
	assert_int_equal(book.got.rc, 0);
	return book.got.id;
}

void
book_record(int64_t unit, int64_t batch, enum kd_state to, enum kd_status status)
{
	struct kd_output output = {.path = (char *)"a.npz", .bytes = 5};
	struct kd_result_unit result = {.status = status,
		.primary = (char *)"/out/a.npz",
		.output_count = 1,
		.outputs = &output};
	memcpy(result.sha256, book_sum, KD_HASH_HEX);
	memcpy(output.sha256, book_sum, KD_HASH_HEX);
	struct kd_ledger_outcome outcome = {.unit = unit,
		.state = to,
		.result = &result,
		.not_before = 99,
		.reason = "said"};
	struct kd_ledger_record given = {.batch = batch,
		.variant = "c",
		.device = "cpu",
		.out = "/out",
		.outcomes = &outcome,
		.outcome_count = 1};
	assert_int_equal(kd_ledger_record(book.ledger, &given, book_on_done, NULL), 0);
	ev_run(book.loop, 0);
	assert_int_equal(book.got.rc, 0);
}

int
book_on_load(void *context, struct kd_unit *unit)
{
	(void)context;
	book.loaded[book.loaded_count++] = *unit;
	kd_unit_free(unit);
	return 0;
}

void
book_reopen(void)
{
	kd_ledger_close(book.ledger);
	book_open();
	book.loaded_count = 0;
	assert_int_equal(kd_ledger_load(book.ledger, book_on_load, NULL, NULL), 0);
	book_begin();
}

void
book_on_count(void *context, const char *rule, enum kd_state state, uint64_t count)
{
	(void)context;
	if (strcmp(rule, "rule") == 0)
		book.counts[state] += count;
	else
		book.other_counts += count;
}

void
book_count_again(void)
{
	memset(book.counts, 0, sizeof book.counts);
	book.other_counts = 0;
	kd_ledger_close(book.ledger);
	book_open();
	assert_int_equal(kd_ledger_counts(book.ledger, book_on_count, NULL), 0);
}

void
book_finish(int64_t unit, int left)
{
	struct kd_ledger_closed closed = {unit, left};
	kd_ledger_finish(book.ledger, &closed, 1, book_on_done, NULL);
	ev_run(book.loop, 0);
	assert_int_equal(book.got.rc, 0);
}
