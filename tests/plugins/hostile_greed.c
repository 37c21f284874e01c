/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/plugins/hostile_greed.h"

#include "tests/plugins/hostile_hands.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int
hostile_greed_output(
	const struct kiln_host *host, void *state, const struct kiln_batch *batch)
{
	static char piece[65536];
	(void)state;
	for (uint32_t i = 0; i < batch->unit_count; i++) {
		int fd = hostile_make(host, batch, i, ".out"), rc = 0;
		/* Unit 0 writes past the limit in one file; the others in several. */
		for (int k = 0; k < 4 && rc == 0; k++)
			rc = write(fd, piece, sizeof piece) == sizeof piece ? 0 : -errno;
		close(fd);
		char text[100];
		snprintf(text, sizeof text, "cannot write its output: %s", strerror(-rc));
		if (rc == 0 || i > 0)
			host->done(host, i, KILN_OK, NULL);
		else
			host->done(host, i, KILN_BAD_INPUT, text);
	}
	return 0;
}

int
hostile_greed_memory(
	const struct kiln_host *host, void *state, const struct kiln_batch *batch)
{
	enum { PIECE = 16 << 20 };
	size_t got = 0;
	(void)state;
	(void)batch;
	for (int i = 0; i < 4096; i++) {
		char *piece = malloc(PIECE);
		if (piece == NULL)
			break;
		memset(piece, 1, PIECE);
		got += PIECE;
	}
	char text[100];
	snprintf(text, sizeof text, "out of memory after %zu MiB", got >> 20);
	host->done(host, 0, KILN_TRANSIENT, text);
	return 0;
}

int
hostile_greed_descriptors(
	const struct kiln_host *host, void *state, const struct kiln_batch *batch)
{
	char text[200];
	int count = 0, error;
	(void)state;
	while (count < 1 << 20 && dup(HOSTILE_LINK) >= 0)
		count++;
	error = errno;
	int fd = hostile_make(host, batch, 0, ".out");
	snprintf(text, sizeof text, "%d descriptors, then: %s; an output: %d", count,
		strerror(error), fd);
	host->done(host, 0, KILN_TRANSIENT, text);
	return 0;
}

/* Outputs without end, each below the limit of one file; or scratch files. */
static int
flood(const struct kiln_host *host, const struct kiln_batch *batch, int is_scratch)
{
	static char piece[65536];
	char name[512];
	for (unsigned i = 0;; i++) {
		snprintf(name, sizeof name, "%s.%u.out", batch->units[0]->stem, i);
		int fd = is_scratch ? host->scratch(host)
				    : host->create(host, 0, name, KILN_COMPANION);
		if (fd < 0 || write(fd, piece, sizeof piece) != sizeof piece)
			hostile_nap();
		if (fd >= 0 && !is_scratch)
			close(fd);
	}
	return 0;
}

int
hostile_greed_outputs(
	const struct kiln_host *host, void *state, const struct kiln_batch *batch)
{
	(void)state;
	return flood(host, batch, 0);
}

int
hostile_greed_scratch(
	const struct kiln_host *host, void *state, const struct kiln_batch *batch)
{
	(void)state;
	return flood(host, batch, 1);
}
