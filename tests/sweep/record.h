/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * record.h - what a run does to the files beneath some folders, call by call, so that
 * crash.py can say what a power cut could have left.  LOG gets a line a change, its
 * fields apart by tabs; LOG.data the bytes that were written:
 *
 *	create PATH | mkdir PATH | unlink PATH | fsync PATH | truncate PATH SIZE
 *	rename PATH OTHER FLAGS | link PATH OTHER
 *	write PATH OFFSET LENGTH OFFSET-IN-DATA
 */
#ifndef SWEEP_RECORD_H
#define SWEEP_RECORD_H

#include "tests/sweep/call.h"

struct record;

/* folders: NULL-ended, borrowed.  NULL with errno. */
struct record *record_open(const char *log, const char *const *folders);

/* At a call's entry, its paths known: 1 when the file it may make is not there yet. */
int record_makes(const struct record *record, const struct call *call);

/* At the exit of a call that succeeded; made: what record_makes() said. */
void record_call(struct record *record, const struct call *call, int made);

/* 0, or -1 when something could not be recorded. */
int record_close(struct record *record);

#endif
