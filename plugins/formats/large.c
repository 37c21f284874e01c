/* SPDX-License-Identifier: BSD-2-Clause */
#include "plugins/formats/large.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

#define PAGE ((size_t)2 << 20)

void *
fmt_large_alloc(size_t bytes)
{
	if (bytes < 2 * PAGE)
		return malloc(bytes + 1);
	if (bytes > SIZE_MAX - PAGE)
		return NULL;
	bytes = (bytes + PAGE - 1) / PAGE * PAGE;
	void *block = aligned_alloc(PAGE, bytes);
	/* Where the system has none to give it stays what it was. */
	if (block != NULL)
		madvise(block, bytes, MADV_HUGEPAGE);
	return block;
}
