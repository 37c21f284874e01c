/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * denied.h - the system calls that an engine tried and that no honest kernel needs: its
 * filter answers them with EPERM and writes their numbers into a pipe, so that the
 * administrator sees what a plugin was after.
 */
#ifndef KD_DENIED_H
#define KD_DENIED_H

#include <stddef.h>

/* The pipe's end in the engine. */
#define KD_DENIED_FD 5

/* Reads the numbers that came through the pipe open at fd, which does not block, and puts
 * their names into text, each once: "ptrace, bpf".  How many that are; 0: none. */
unsigned kd_denied_read(int fd, char *text, size_t size);

#endif
