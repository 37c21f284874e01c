/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/rules/near.h"

#include <stdio.h>
#include <string.h>

#define LONGEST 64

static size_t
least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Optimal string alignment (Damerau-Levenshtein without repeated edits), since swapped
 * neighbours are the commonest slip of fingers. */
static size_t
distance(const char *a, const char *b)
{
	size_t row[3][LONGEST + 1], m = strlen(a), n = strlen(b);
	if (m > LONGEST || n > LONGEST)
		return LONGEST;
	for (size_t j = 0; j <= n; j++)
		row[0][j] = j;
	for (size_t i = 1; i <= m; i++) {
		size_t *now = row[i % 3], *before = row[(i + 2) % 3],
		       *second = row[(i + 1) % 3];
		now[0] = i;
		for (size_t j = 1; j <= n; j++) {
			now[j] = least(before[j] + 1, now[j - 1] + 1);
			now[j] = least(now[j], before[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
				a[i - 2] == b[j - 1])
				now[j] = least(now[j], second[j - 2] + 1);
		}
	}
	return row[m % 3][n];
}

void
kd_near_offer(struct kd_near *near, const char *candidate)
{
	size_t found = distance(near->wanted, candidate), length = strlen(near->wanted);
	/* A third of the letters may be wrong; beyond that a hint misleads. */
	if (found > 1 && found > length / 3)
		return;
	if (found >= length || (near->best != NULL && found >= near->distance))
		return;
	near->best = candidate;
	near->distance = found;
}

char *
kd_near_hint(const struct kd_near *near, char *buffer, size_t size)
{
	buffer[0] = '\0';
	if (near->best != NULL)
		snprintf(buffer, size, "; did you mean \"%s\"?", near->best);
	return buffer;
}
