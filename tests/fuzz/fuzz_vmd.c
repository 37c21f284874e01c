/* SPDX-License-Identifier: BSD-2-Clause */
#include "plugins/formats/vmd.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#ifdef KILN_PLANTED_BUG
/* Trusts the count of bone keys. */
static uint32_t
careless(const uint8_t *data, size_t size)
{
	uint32_t count, sum = 0;

	if (size < 54 || memcmp(data, "Vocaloid Motion Data 0002", 25) != 0)
		return 0;
	memcpy(&count, data + 50, sizeof count);
	for (uint32_t i = 0; i < count % 4096; i++)
		sum += data[54 + i * 111];
	return sum;
}
#endif

/* What vmd.h promises of a motion. */
static void
check(const struct fmt_vmd *motion)
{
	for (uint32_t i = 0; i < motion->bone_count; i++) {
		const struct fmt_vmd_track *track = &motion->bones[i];
		if (track->count == 0 || track->name == NULL ||
			track->vmd_name[15] != '\0')
			abort();
		for (uint32_t k = 0; k < track->count; k++) {
			if (k > 0 && track->keys[k].frame <= track->keys[k - 1].frame)
				abort();
			if (track->keys[k].frame > motion->last_frame)
				abort();
		}
	}
	for (uint32_t i = 1; i < motion->property_count; i++) {
		if (motion->properties[i].frame <= motion->properties[i - 1].frame)
			abort();
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	for (int round = 0; round < 3; round++) {
		const struct fmt_vmd_options options = {
			.fallback = (enum fmt_vmd_encoding)round, .strict = round == 2};
		struct fmt_vmd motion;
		struct fmt_err err = {0};
		if (fmt_vmd_read(data, size, &options, &motion, &err) == 0) {
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
