/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * syscalls.h - which system calls an engine may make: what arithmetic on passed
 * descriptors takes, and until the plugin is loaded what loading it takes.  Everything else
 * answers EPERM, and opening after the plugin is loaded EACCES; the engine lives on.
 *
 * Some calls no honest kernel makes.  Of these, the number is written to a descriptor as
 * an int32_t before they answer EPERM, so that the keeper can tell of them (denied.h).
 * This is done in a handler of SIGSYS, which the filter keeps a plugin from replacing.
 * Nothing is told of an engine that was granted CUDA, whose driver tries much, in a build
 * with sanitizers, which handle signals themselves, or on a processor other than x86-64
 * and arm64.
 *
 * Filters are for all threads that begin later and cannot be undone; "no new privileges"
 * must be set before.
 */
#ifndef KD_SYSCALLS_H
#define KD_SYSCALLS_H

#include "daemon/base/err.h"

#include <stdint.h>

/* Before dlopen.  needs: what is granted, a set of enum kiln_needs; denied: the descriptor
 * to tell of denied calls, which stays open; -1: nowhere.  0 or a negative errno. */
int kd_syscalls_narrow(uint32_t needs, int denied, struct kd_err *err);

/* After dlopen, on top of the first filter and for all threads at once: no opening and no
 * new executable memory, as far as what is granted does not take them.  0 or a negative
 * errno. */
int kd_syscalls_close(uint32_t needs, struct kd_err *err);

#endif
