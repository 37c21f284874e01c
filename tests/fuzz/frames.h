/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * frames.h - inputs for harnesses of links, as text that people can read: a line is a
 * message, its first letter says of which type, the rest is the body, which is framed here
 * as base/wire.h asks.  A line that begins with '!' goes onto the link as it is, and one
 * with '+' brings a descriptor of a file that holds its body in place of a body.
 */
#ifndef TESTS_FUZZ_FRAMES_H
#define TESTS_FUZZ_FRAMES_H

#include <stddef.h>
#include <stdint.h>

struct frame_type {
	char letter; /* 0 ends a list */
	uint16_t type;
	int counted; /* its serials are 1, 2, ... of each harness's run; others' are drawn */
};

/* The next line of data, which is stepped over; 0 when there is none left. */
int frames_cut(const uint8_t **data, size_t *size, const uint8_t **line, size_t *length);
/* Sends one line; what the link does not take at once is left out.  A letter that is not
 * in the list stands for a type that nobody has. */
void frames_line(
	int fd, const struct frame_type *types, const uint8_t *line, size_t size);
/* Sends all lines. */
void frames_send(
	int fd, const struct frame_type *types, const uint8_t *data, size_t size);
/* Counted serials begin at 1 again. */
void frames_begin(void);

/* A message with that body and, where passed >= 0, that descriptor. */
struct frame {
	uint16_t type;
	uint32_t serial;
	const void *body;
	size_t size;
	int passed;
};
void frames_put(int fd, const struct frame *frame);

/* A connected pair of which the first has that number: keepers and engines look for their
 * links there.  Between runs frames_keep() holds the number, for a fuzzer opens descriptors
 * of its own when it likes. */
int frames_pair(int number, int pair[2]);
void frames_keep(int number);

#endif
