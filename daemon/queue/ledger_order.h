/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ledger_order.h - inside the ledger: the connection, its thread, and what an order is.
 * For daemon/queue/ledger*.c only.
 */
#ifndef KD_LEDGER_ORDER_H
#define KD_LEDGER_ORDER_H

#include "daemon/queue/ledger.h"

#include <pthread.h>
#include <sqlite3.h>

enum { KD_LEDGER_STATEMENTS = 40 };

struct kd_ledger {
	sqlite3 *db;
	/* Prepared on first use, in the ledger's thread. */
	struct {
		const char *sql;
		sqlite3_stmt *stmt;
	} statements[KD_LEDGER_STATEMENTS];
	struct ev_loop *loop;
	ev_async wake;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t posted;
	struct kd_ledger_order *first, **last;		 /* waiting; below lock */
	struct kd_ledger_order *done_first, **done_last; /* to call back; below lock */
	struct kd_ledger_order *calling; /* being called back; the loop's */
	int started, stopping;
	char *path;
	int backing_up;	   /* the loop's */
	double busy_since; /* 0: no transaction at hand; below lock */
};

/* One order.  run() is called in the ledger's thread inside a transaction and returns a
 * SQLite code; done() on the loop with 0 or a negative errno, and frees the order.
 *
 * With `apart`, run() is called outside any transaction, and again behind what has been
 * posted meanwhile as long as it returns KD_LEDGER_AGAIN; at_end is set when the ledger
 * is being closed and there will be no other time. */
#define KD_LEDGER_AGAIN (-1)
struct kd_ledger_order {
	struct kd_ledger_order *next;
	int (*run)(struct kd_ledger *ledger, struct kd_ledger_order *order);
	void (*done)(struct kd_ledger_order *order, int rc);
	int rc;
	int apart, at_end;
};

void kd_ledger_post(struct kd_ledger *ledger, struct kd_ledger_order *order);

/* The prepared, reset statement of a text (compared by address: use a literal).  NULL
 * when it cannot be prepared. */
sqlite3_stmt *kd_ledger_statement(struct kd_ledger *ledger, const char *sql);
/* Runs a statement that gives no rows: SQLITE_OK or the error. */
int kd_ledger_step(sqlite3_stmt *stmt);
/* Text or NULL as a column. */
void kd_ledger_bind_text(sqlite3_stmt *stmt, int column, const char *text);
double kd_ledger_now(void);

/* A unit from a row of these columns, or NULL when memory is out. */
#define KD_LEDGER_UNIT                                                                   \
	"id, rule, path, kind, ino, btime, size, mtime, fingerprint, state, attempts, "  \
	"company, not_before, restore, sha256, reason, batch IS NOT NULL"
struct kd_unit *kd_ledger_unit(sqlite3_stmt *stmt);

/* The unit that query->path, of a file in the drop folder of query->rule, belongs to by
 * its name, or names itself; 0: none that is known.  A SQLite code. */
int kd_ledger_member(
	struct kd_ledger *ledger, const struct kd_ledger_query *query, int64_t *unit);

/* Brings an opened database to the present schema. */
int kd_ledger_migrate(sqlite3 *db, struct kd_err *err);

#endif
