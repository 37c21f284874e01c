/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ledger's connection and thread.  Invariant: after the thread has started, nobody
 * else touches the connection, and an order's done() runs only after the commit that
 * holds it.
 */
#include "daemon/base/log.h"
#include "daemon/queue/ledger_order.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>

double
kd_ledger_now(void)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

sqlite3_stmt *
kd_ledger_statement(struct kd_ledger *ledger, const char *sql)
{
	int i = 0;
	while (i < KD_LEDGER_STATEMENTS && ledger->statements[i].sql != NULL &&
		ledger->statements[i].sql != sql)
		i++;
	if (i == KD_LEDGER_STATEMENTS)
		return NULL;
	if (ledger->statements[i].stmt == NULL) {
		if (sqlite3_prepare_v3(ledger->db, sql, -1, SQLITE_PREPARE_PERSISTENT,
			    &ledger->statements[i].stmt, NULL) != SQLITE_OK)
			return NULL;
		ledger->statements[i].sql = sql;
	}
	sqlite3_reset(ledger->statements[i].stmt);
	sqlite3_clear_bindings(ledger->statements[i].stmt);
	return ledger->statements[i].stmt;
}

int
kd_ledger_step(sqlite3_stmt *stmt)
{
	if (stmt == NULL)
		return SQLITE_ERROR;
	int rc = sqlite3_step(stmt);
	sqlite3_reset(stmt);
	return rc == SQLITE_DONE || rc == SQLITE_ROW ? SQLITE_OK : rc;
}

void
kd_ledger_bind_text(sqlite3_stmt *stmt, int column, const char *text)
{
	if (text == NULL)
		sqlite3_bind_null(stmt, column);
	else
		sqlite3_bind_text(stmt, column, text, -1, SQLITE_TRANSIENT);
}

static void
append(struct kd_ledger_order ***last, struct kd_ledger_order *order)
{
	order->next = NULL;
	**last = order;
	*last = &order->next;
}

void
kd_ledger_post(struct kd_ledger *ledger, struct kd_ledger_order *order)
{
	pthread_mutex_lock(&ledger->lock);
	append(&ledger->last, order);
	pthread_cond_signal(&ledger->posted);
	pthread_mutex_unlock(&ledger->lock);
}

static int
errno_of(int rc)
{
	return rc == SQLITE_OK ? 0 : rc == SQLITE_FULL ? -ENOSPC : -EIO;
}

/* All orders but those apart in one transaction: they are recorded together or not at
 * all. */
static int
run_together(struct kd_ledger *ledger, struct kd_ledger_order *orders)
{
	int rc = sqlite3_exec(ledger->db, "BEGIN", NULL, NULL, NULL);
	for (struct kd_ledger_order *o = orders; o != NULL && rc == SQLITE_OK;
		o = o->next)
		if (!o->apart)
			rc = o->run(ledger, o);
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(ledger->db, "COMMIT", NULL, NULL, NULL);
	/* Here, because SQLite's own words do not travel with an order's errno. */
	if (rc != SQLITE_OK)
		kd_log(KD_ERROR, "the ledger took nothing of a transaction: %s",
			sqlite3_errmsg(ledger->db));
	if (!sqlite3_get_autocommit(ledger->db))
		sqlite3_exec(ledger->db, "ROLLBACK", NULL, NULL, NULL);
	return errno_of(rc);
}

/* Hands the orders that were run to the loop, those that want more back to the queue.
 * Below the lock. */
static void
sort_out(struct kd_ledger *ledger, struct kd_ledger_order *orders)
{
	while (orders != NULL) {
		struct kd_ledger_order *order = orders;
		orders = order->next;
		append(order->rc == KD_LEDGER_AGAIN && order->apart ? &ledger->last
								    : &ledger->done_last,
			order);
	}
}

static void
run_orders(struct kd_ledger *ledger, struct kd_ledger_order *orders, int at_end)
{
	int together = 0;
	for (struct kd_ledger_order *o = orders; o != NULL; o = o->next)
		together |= !o->apart;
	int rc = together ? run_together(ledger, orders) : 0;
	for (struct kd_ledger_order *o = orders; o != NULL; o = o->next) {
		o->rc = rc;
		if (!o->apart)
			continue;
		o->at_end = at_end;
		int code = o->run(ledger, o);
		o->rc = code == KD_LEDGER_AGAIN ? code : errno_of(code);
	}
}

static void *
serve(void *argument)
{
	struct kd_ledger *ledger = argument;
	prctl(PR_SET_NAME, "kilnd-ledger");
	pthread_mutex_lock(&ledger->lock);
	for (;;) {
		while (ledger->first == NULL && !ledger->stopping)
			pthread_cond_wait(&ledger->posted, &ledger->lock);
		if (ledger->first == NULL)
			break;
		struct kd_ledger_order *orders = ledger->first;
		int at_end = ledger->stopping;
		ledger->first = NULL;
		ledger->last = &ledger->first;
		ledger->busy_since = kd_ledger_now();
		pthread_mutex_unlock(&ledger->lock);
		run_orders(ledger, orders, at_end);
		pthread_mutex_lock(&ledger->lock);
		ledger->busy_since = 0;
		sort_out(ledger, orders);
		ev_async_send(ledger->loop, &ledger->wake);
	}
	pthread_mutex_unlock(&ledger->lock);
	return NULL;
}

/* The next order to call back, or NULL: the loop takes all that are done, and then one
 * after the other without the lock. */
static struct kd_ledger_order *
next_done(struct kd_ledger *ledger)
{
	struct kd_ledger_order *order = ledger->calling;
	if (order == NULL) {
		pthread_mutex_lock(&ledger->lock);
		order = ledger->done_first;
		ledger->done_first = NULL;
		ledger->done_last = &ledger->done_first;
		pthread_mutex_unlock(&ledger->lock);
	}
	ledger->calling = order == NULL ? NULL : order->next;
	return order;
}

/* A transaction may have answered thousands of orders: others have their turn between. */
static void
call_back(struct ev_loop *loop, ev_async *wake, int events)
{
	(void)events;
	struct kd_ledger *ledger = wake->data;
	struct kd_ledger_order *order;
	for (int i = 0; i < KD_LEDGER_AT_ONCE; i++) {
		order = next_done(ledger);
		if (order == NULL)
			return;
		order->done(order, order->rc);
	}
	ev_async_send(loop, wake);
}

static int
open_database(const char *path, sqlite3 **db, struct kd_err *err)
{
	int rc = sqlite3_open_v2(path, db,
		SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL);
	/* EXCLUSIVE: no second kilnd on this state, and no shared-memory file. */
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(*db,
			"PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL;"
			"PRAGMA synchronous = FULL; PRAGMA cache_size = -2048;"
			"BEGIN EXCLUSIVE; COMMIT",
			NULL, NULL, NULL);
	if (rc == SQLITE_BUSY || rc == SQLITE_LOCKED)
		return kd_err_set(err, -EAGAIN,
			"the ledger '%s' is in use: another kilnd runs on this state "
			"folder",
			path);
	if (rc != SQLITE_OK)
		return kd_err_set(err, -EIO, "the ledger '%s' cannot be opened: %s", path,
			*db == NULL ? "out of memory" : sqlite3_errmsg(*db));
	return kd_ledger_migrate(*db, err);
}

/* The thread takes no signals: they belong to the loop. */
static int
start_thread(struct kd_ledger *ledger)
{
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int rc = pthread_create(&ledger->thread, NULL, serve, ledger);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return -rc;
}

int
kd_ledger_open(const char *path, struct ev_loop *loop, struct kd_ledger **opened,
	struct kd_err *err)
{
	struct kd_ledger *ledger = calloc(1, sizeof *ledger);
	if (ledger == NULL)
		return kd_err_errno(
			err, -ENOMEM, "the ledger '%s' cannot be opened", path);
	ledger->path = strdup(path);
	int rc = ledger->path == NULL ? kd_err_errno(err, -ENOMEM,
						"the ledger '%s' cannot be opened", path)
				      : open_database(path, &ledger->db, err);
	if (rc < 0)
		goto close;
	ledger->loop = loop;
	ledger->last = &ledger->first;
	ledger->done_last = &ledger->done_first;
	pthread_mutex_init(&ledger->lock, NULL);
	pthread_cond_init(&ledger->posted, NULL);
	ev_async_init(&ledger->wake, call_back);
	ledger->wake.data = ledger;
	ev_async_start(loop, &ledger->wake);
	*opened = ledger;
	return 0;
close:
	sqlite3_close(ledger->db);
	free(ledger->path);
	free(ledger);
	return rc;
}

int
kd_ledger_begin(struct kd_ledger *ledger, struct kd_err *err)
{
	int rc = start_thread(ledger);
	if (rc < 0)
		return kd_err_errno(err, rc, "the ledger's thread cannot be started");
	ledger->started = 1;
	return 0;
}

void
kd_ledger_close(struct kd_ledger *ledger)
{
	if (ledger == NULL)
		return;
	if (ledger->started) {
		pthread_mutex_lock(&ledger->lock);
		ledger->stopping = 1;
		pthread_cond_signal(&ledger->posted);
		pthread_mutex_unlock(&ledger->lock);
		pthread_join(ledger->thread, NULL);
		struct kd_ledger_order *order;
		while ((order = next_done(ledger)) != NULL)
			order->done(order, order->rc);
	}
	ev_async_stop(ledger->loop, &ledger->wake);
	for (int i = 0; i < KD_LEDGER_STATEMENTS; i++)
		sqlite3_finalize(ledger->statements[i].stmt);
	sqlite3_close(ledger->db);
	pthread_cond_destroy(&ledger->posted);
	pthread_mutex_destroy(&ledger->lock);
	free(ledger->path);
	free(ledger);
}

double
kd_ledger_busy(struct kd_ledger *ledger)
{
	pthread_mutex_lock(&ledger->lock);
	double since = ledger->busy_since;
	pthread_mutex_unlock(&ledger->lock);
	return since > 0 ? kd_ledger_now() - since : 0;
}
