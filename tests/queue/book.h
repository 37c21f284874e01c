/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * book.h - a ledger in a scratch folder, one for the test at hand, and what tests do to it
 * all the time.  Each call waits for its callback, and fails the test when that tells of
 * an error.
 */
#ifndef TESTS_QUEUE_BOOK_H
#define TESTS_QUEUE_BOOK_H

#include "daemon/queue/ledger.h"

extern struct book {
	char folder[64], path[80];
	struct ev_loop *loop;
	struct kd_ledger *ledger;
	/* What the last callback said. */
	struct {
		int rc, fresh;
		int64_t id;
		char output[100];
		json_t *json;
	} got;
	/* What the last start took up; rule and path are gone. */
	struct kd_unit loaded[8];
	int loaded_count;
	uint64_t counts[KD_STATES], other_counts; /* of the rule "rule", and of others */
} book;

/* The SHA-256 of what book_record() records. */
extern const char book_sum[];

int book_set_up(void **state);
int book_tear_down(void **state);
#define BOOK_TEST(name) cmocka_unit_test_setup_teardown(name, book_set_up, book_tear_down)

void book_open(void);
void book_begin(void);
/* Closes it and takes it up again: book.loaded. */
void book_reopen(void);
/* Closes it, opens it and counts: book.counts. */
void book_count_again(void);

/* A drop of the rule "rule"; its number. */
int64_t book_offer(const char *name, int64_t mtime);
/* A batch of that unit; its number. */
int64_t book_start(int64_t unit);
void book_record(int64_t unit, int64_t batch, enum kd_state to, enum kd_status status);
void book_finish(int64_t unit, int left);

/* Callbacks that fill book.got and end the loop, or fill the lists above. */
kd_ledger_offer_fn book_on_offer;
kd_ledger_start_fn book_on_start;
kd_ledger_done_fn book_on_done;
kd_ledger_same_fn book_on_same;
kd_ledger_json_fn book_on_json;
kd_ledger_unit_fn book_on_load;
kd_ledger_count_fn book_on_count;

#endif
