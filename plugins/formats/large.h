/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * large.h - memory for what is large and written once: fresh pages are mostly the
 * kernel's work, and in large pages that is a fifth of it.
 */
#ifndef FMT_LARGE_H
#define FMT_LARGE_H

#include <stddef.h>

/* bytes of memory, not cleared, to be freed by free(); NULL: there is not so much. */
void *fmt_large_alloc(size_t bytes);

#endif
