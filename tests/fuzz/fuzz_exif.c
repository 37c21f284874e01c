/* SPDX-License-Identifier: BSD-2-Clause */
#include "plugins/formats/exif.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#ifdef KILN_PLANTED_BUG
/* Trusts the count of the first directory's entries. */
static uint32_t
careless(const uint8_t *data, size_t size)
{
	uint32_t sum = 0;

	for (size_t i = 0; size > 10 && i < data[8]; i++)
		sum += data[10 + 12 * i];
	return sum;
}
#endif

/* A carried block is carried again as it is: what exif.h says is dropped is gone. */
static void
carry(const uint8_t *data, size_t size)
{
	const struct fmt_exif_changes changes = {.width = 64,
		.height = 32,
		.focal_35mm = 18,
		.has_direction = 1,
		.direction = 22.5,
		.description = "view",
		.software = "kiln"};
	struct fmt_exif_facts facts;
	uint8_t *made, *again;
	size_t length, length_again;
	if (fmt_exif_carry(data, size, &changes, &made, &length) < 0)
		return;
	fmt_exif_read(made, length, &facts);
	if (length > FMT_EXIF_MOST || facts.orientation != 1 || !facts.has_direction ||
		facts.direction < 22.49 || facts.direction > 22.51)
		abort();
	if (fmt_exif_carry(made, length, &changes, &again, &length_again) == 0) {
		if (length_again != length || memcmp(made, again, length) != 0)
			abort();
		free(again);
	}
	free(made);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fmt_exif_facts facts;
	fmt_exif_read(data, size, &facts);
	if (facts.orientation < 1 || facts.orientation > 8)
		abort();
	carry(data, size);
#ifdef KILN_PLANTED_BUG
	static volatile uint32_t sink;
	sink += careless(data, size);
	(void)sink;
#endif
	return 0;
}
