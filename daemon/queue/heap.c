/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A binary heap (Williams 1964): the item in slot i is not later than those in slots
 * 2i + 1 and 2i + 2.
 */
#include "daemon/queue/heap.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

void
kd_heap_clear(struct kd_heap *heap)
{
	free(heap->items);
	*heap = (struct kd_heap){0};
}

int
kd_heap_reserve(struct kd_heap *heap, uint32_t count)
{
	uint32_t room = heap->room == 0 ? 16 : heap->room;
	if (count <= heap->room)
		return 0;
	while (room < count) {
		if (room > UINT32_MAX / 2)
			return -ENOMEM;
		room *= 2;
	}
	struct kd_heap_item **more = realloc(heap->items, room * sizeof *more);
	if (more == NULL)
		return -ENOMEM;
	heap->items = more;
	heap->room = room;
	return 0;
}

static int
is_before(const struct kd_heap_item *a, const struct kd_heap_item *b)
{
	return a->time < b->time || (a->time == b->time && a->order < b->order);
}

static void
put(struct kd_heap *heap, uint32_t slot, struct kd_heap_item *item)
{
	heap->items[slot] = item;
	item->slot = slot;
}

/* Puts the item where it belongs, from a slot that is free on. */
static void
settle(struct kd_heap *heap, uint32_t slot, struct kd_heap_item *item)
{
	for (uint32_t above; slot > 0; slot = above) {
		above = (slot - 1) / 2;
		if (!is_before(item, heap->items[above]))
			break;
		put(heap, slot, heap->items[above]);
	}
	for (uint64_t below; (below = 2 * (uint64_t)slot + 1) < heap->count;
		slot = (uint32_t)below) {
		if (below + 1 < heap->count &&
			is_before(heap->items[below + 1], heap->items[below]))
			below++;
		if (!is_before(heap->items[below], item))
			break;
		put(heap, slot, heap->items[below]);
	}
	put(heap, slot, item);
}

int
kd_heap_push(struct kd_heap *heap, struct kd_heap_item *item, double time)
{
	int rc = kd_heap_reserve(heap, heap->count + 1);
	if (rc < 0)
		return rc;
	item->time = time;
	item->order = heap->pushed++;
	settle(heap, heap->count++, item);
	return 0;
}

void
kd_heap_remove(struct kd_heap *heap, struct kd_heap_item *item)
{
	struct kd_heap_item *last = heap->items[--heap->count];
	if (last != item)
		settle(heap, item->slot, last);
}

struct kd_heap_item *
kd_heap_first(const struct kd_heap *heap)
{
	return heap->count == 0 ? NULL : heap->items[0];
}
