/* SPDX-License-Identifier: BSD-2-Clause */
#include "plugins/formats/gpano.h"
#include "tests/fuzz/fuzz.h"

#include <stdint.h>
#include <stdlib.h>

#ifdef KILN_PLANTED_BUG
/* Trusts that a tag that opens is closed. */
static uint32_t
careless(const uint8_t *data, size_t size)
{
	size_t at = 0;

	if (size == 0 || data[0] != '<')
		return 0;
	while (data[at] != '>')
		at++;
	return (uint32_t)at;
}
#endif

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fmt_gpano gpano;
	fmt_gpano_read((const char *)data, size, &gpano);
	/* What gpano.h promises of a crop. */
	if (gpano.has_crop &&
		!(gpano.crop_width > 0 && gpano.crop_height > 0 && gpano.crop_left >= 0 &&
			gpano.crop_top >= 0 &&
			gpano.crop_left + gpano.crop_width <= gpano.full_width &&
			gpano.crop_top + gpano.crop_height <= gpano.full_height))
		abort();
#ifdef KILN_PLANTED_BUG
	static volatile uint32_t sink;
	sink += careless(data, size);
	(void)sink;
#endif
	return 0;
}
