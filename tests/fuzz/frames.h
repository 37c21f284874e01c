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
};

/* Sends all lines; what the link does not take at once is left out. */
void frames_send(
	int fd, const struct frame_type *types, const uint8_t *data, size_t size);

#endif
