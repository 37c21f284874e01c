/* SPDX-License-Identifier: BSD-2-Clause */
#include "plugins/formats/vpd.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#ifdef KILN_PLANTED_BUG
/* Trusts that the model's name ends. */
static uint32_t
careless(const uint8_t *data, size_t size)
{
	size_t at = 23;

	if (!fmt_vpd_is(data, size) || data[0] != 'V')
		return 0;
	while (data[at] != ';')
		at++;
	return (uint32_t)at;
}
#endif

/* What vpd.h promises of a pose. */
static void
check(const struct fmt_vmd *motion)
{
	if (motion->last_frame != 0 || motion->model_name == NULL)
		abort();
	for (uint32_t i = 0; i < motion->bone_count; i++) {
		const struct fmt_vmd_track *track = &motion->bones[i];
		if (track->count != 1 || track->frames[0] != 0 || track->name == NULL ||
			track->vmd_name[15] != '\0')
			abort();
	}
	for (uint32_t i = 0; i < motion->morph_count; i++)
		if (motion->morphs[i].count != 1)
			abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	for (int round = 0; round < 3; round++) {
		const struct fmt_vmd_options options = {
			.fallback = (enum fmt_vmd_encoding)round, .strict = round == 2};
		struct fmt_vmd motion;
		struct fmt_err err = {0};
		if (fmt_vpd_read(data, size, &options, &motion, &err) == 0) {
			check(&motion);
			fmt_vmd_free(&motion);
		} else if (err.text[0] == '\0') {
			abort();
		}
	}
#ifdef KILN_PLANTED_BUG
	static volatile uint32_t sink;
	sink += careless(data, size);
	(void)sink;
#endif
	return 0;
}
