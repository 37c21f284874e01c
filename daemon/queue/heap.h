/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * heap.h - what waits, the earliest first: things that carry a kd_heap_item, by a time.
 * Putting one in or taking any one out takes steps as the logarithm of how many there are,
 * in whatever order they come.  Of equal times the one that was put in first is earlier.
 *
 * items[0 .. count) are all of them, in no order that matters but that the earliest is
 * the first.
 */
#ifndef KD_HEAP_H
#define KD_HEAP_H

#include <stdint.h>

struct kd_heap_item {
	double time;
	uint32_t order; /* among equal times */
	uint32_t slot;	/* where it is in items[] */
};

struct kd_heap {
	struct kd_heap_item **items;
	uint32_t count, room, pushed;
};

/* Frees what the heap has of its own; the items are the caller's. */
void kd_heap_clear(struct kd_heap *heap);

/* Makes room for so many: then pushes up to that many do not fail.  0 or -ENOMEM. */
int kd_heap_reserve(struct kd_heap *heap, uint32_t count);
/* 0 or -ENOMEM. */
int kd_heap_push(struct kd_heap *heap, struct kd_heap_item *item, double time);
void kd_heap_remove(struct kd_heap *heap, struct kd_heap_item *item);
/* The earliest; NULL: there is none. */
struct kd_heap_item *kd_heap_first(const struct kd_heap *heap);

#endif
