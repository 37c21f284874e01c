/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * thread.h - the threads that fault follows, and whose they are.
 */
#ifndef SWEEP_THREAD_H
#define SWEEP_THREAD_H

#include "tests/sweep/call.h"

/* START is kilnd before its first batch; OTHER is anything else, as what a fork is until
 * it execs. */
enum role { OTHER, START, KILND, KEEPER, ENGINE, ROLES };

struct thread {
	pid_t id, process;
	enum role role;
	int inside; /* between entry and exit of a call */
	int fails;  /* errno that its call is made to return */
	int makes;  /* see record_makes() */
	struct call call;
};

/* The thread, made known when it is new; NULL when there are too many. */
struct thread *thread_find(pid_t id);
void thread_forget(pid_t id);
int thread_any_left(void);

/* After an exec: tells by the command line who its process is. */
void thread_recognise(struct thread *thread);

/* Makes all of them stop. */
void thread_interrupt_all(void);

#endif
