/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sanitized.h - whether this is a build with sanitizers, whose run time takes calls, files
 * and memory of its own: an engine is confined less there.
 */
#ifndef KD_SANITIZED_H
#define KD_SANITIZED_H

#include "config.h"

#ifdef KILN_SANITIZED
enum { KD_SANITIZED = 1 };
#else
enum { KD_SANITIZED = 0 };
#endif

#endif
