/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * gate_elf.h - whether a file can be loaded at all: dlopen(3) maps what the headers promise
 * and dies of a file that is shorter than that.
 */
#ifndef KD_GATE_ELF_H
#define KD_GATE_ELF_H

#include "daemon/base/err.h"

/* The file open at fd: 0, or -ENOEXEC with a sentence. */
int kd_gate_elf(int fd, struct kd_err *err);

#endif
