/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * device.h - what plugins ask of a GPU beside their kernels, as a table: memory, copies and
 * an order of work.  CUDA's is gpu_device_cuda; tests put an imitation in its place, whose
 * memory is the host's.
 *
 * Threads: open() is for the first one, every other calls enter() before anything else.
 * Errors: -ENODEV, -ENOMEM where there is too little memory on the device, -EIO for all
 * else; after -EIO the device is not asked again.
 */
#ifndef GPU_DEVICE_H
#define GPU_DEVICE_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Rows of bytes, some distance apart at either end. */
struct gpu_rows {
	void *to;
	const void *from;
	size_t to_pitch, from_pitch, width, rows;
};

struct gpu_device {
	const char *name; /* of the variant */
	/* Takes the GPU of that number.  0, or a negative errno and why, a sentence without
	 * its end. */
	int (*open)(uint32_t number, char *why, size_t size);
	int (*enter)(uint32_t number);
	/* Bytes that are free there, for whoever takes them first. */
	int (*vacant)(size_t *bytes);
	/* Device memory; aligned for anything. */
	int (*reserve)(size_t bytes, void **room);
	void (*release)(void *room); /* NULL: nothing */
	/* Lets the device reach memory of the host by itself; where it cannot, copies are
	 * slower, that is all.  0 or a negative errno, then without unpin(). */
	int (*pin)(void *memory, size_t bytes);
	void (*unpin)(void *memory);
	/* An order of work: what is given one stream happens one after the other, what is
	 * given two may happen together.  Copies and kernels only begin; wait() is for
	 * their end and tells whether all went well. */
	int (*stream_new)(void **stream);
	void (*stream_free)(void *stream); /* NULL: nothing; waits */
	int (*copy_in)(const struct gpu_rows *rows, void *stream);
	int (*copy_out)(const struct gpu_rows *rows, void *stream);
	int (*wait)(void *stream);
	/* An event is what a stream was given up to its last record(): another stream
	 * follow()s it, a thread await()s it, asleep.  Of one never recorded nothing is
	 * waited for. */
	int (*event_new)(void **event);
	void (*event_free)(void *event); /* NULL: nothing */
	int (*record)(void *event, void *stream);
	int (*follow)(void *stream, void *event);
	int (*await)(void *event);
};

/* The number of the GPU that a host's device names, "cuda" or "cuda:1"; -1: it names none. */
static inline long
gpu_device_number(const char *device)
{
	static const char kind[] = "cuda";
	const size_t length = sizeof kind - 1;
	if (strncmp(device, kind, length) != 0)
		return -1;
	return device[length] == ':' ? strtol(device + length + 1, NULL, 10) : 0;
}

/* Only where it was built with nvcc. */
extern const struct gpu_device gpu_device_cuda;

#endif
