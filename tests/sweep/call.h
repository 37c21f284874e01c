/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * call.h - a system call of a stopped thread, as far as it is about files: its name, and
 * the paths it names by argument or by descriptor.
 */
#ifndef SWEEP_CALL_H
#define SWEEP_CALL_H

#include <limits.h>
#include <stdint.h>
#include <sys/types.h>

struct call {
	pid_t thread;
	int number; /* -1: between calls */
	uint64_t args[6];
	int64_t result;	      /* on its exit */
	char path[PATH_MAX];  /* "": it names none */
	char other[PATH_MAX]; /* of a rename or link: where it goes */
};

/* "renameat2"; "?" when nobody knows it.  Valid until the next call. */
const char *call_name(int number);
/* -1 for a name that no call has. */
int call_number(const char *name);

/* Fills path and other from the arguments, absolute, at the call's entry. */
void call_paths(struct call *call);

/* Flags of an open or rename, however the call carries them. */
uint64_t call_flags(const struct call *call);

#endif
