/* SPDX-License-Identifier: BSD-2-Clause */
#include "plugins/formats/vmd_baked.h"
#include "tests/fuzz/fuzz.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

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
			if (k > 0 && track->frames[k] <= track->frames[k - 1])
				abort();
			if (track->frames[k] > motion->last_frame)
				abort();
			if (track->curves[k][0][0] > 127)
				abort();
			for (size_t c = 0; c < 3; c++)
				if (!isfinite(track->move[c * track->stride + k]))
					abort();
			for (size_t c = 0; c < 4; c++)
				if (!(fabsf(track->rotate[c * track->stride + k]) < 1.1f))
					abort();
		}
	}
	for (uint32_t i = 1; i < motion->property_count; i++) {
		if (motion->properties[i].frame <= motion->properties[i - 1].frame)
			abort();
	}
}

/* Keys that stayed in the file must be those in memory. */
static void
check_baked(int fd, const struct fmt_vmd *motion, const struct fmt_vmd *expected)
{
	size_t count = motion->bone_count, stride = motion->baked.frames;
	int32_t *places = calloc(count, sizeof *places);
	float *planes = calloc(count * FMT_VMD_PLANES, stride * sizeof *planes);
	void *buffer = malloc(FMT_VMD_BAKED_BUFFER);
	struct fmt_err err = {0};
	if (places == NULL || planes == NULL || buffer == NULL)
		abort();
	for (size_t i = 0; i < count; i++)
		places[i] = (int32_t)i;
	const struct fmt_vmd_stretch stretch = {
		0, motion->baked.frames, places, planes, stride, buffer};
	if (fmt_vmd_baked_read(fd, motion, &stretch, &err) < 0)
		abort();
	for (size_t i = 0; i < count * FMT_VMD_PLANES; i++) {
		const struct fmt_vmd_track *track = &expected->bones[i / FMT_VMD_PLANES];
		if (track->count != stride ||
			memcmp(planes + i * stride,
				track->move + i % FMT_VMD_PLANES * track->stride,
				stride * sizeof *planes) != 0)
			abort();
	}
	free(places);
	free(planes);
	free(buffer);
}

/* The same once more, from a file whose keys may stay there. */
static void
read_baked(int fd, size_t size, const struct fmt_vmd_options *options,
	const struct fmt_vmd *expected)
{
	struct fmt_vmd_options stay = *options;
	struct fmt_vmd motion;
	struct fmt_err err = {0};

	stay.stay_from = 1;
	if (lseek(fd, 0, SEEK_SET) < 0)
		abort();
	int rc = fmt_vmd_read_file(fd, size, &stay, &motion, &err);
	if ((rc == 0) != (expected != NULL) || (rc < 0 && err.text[0] == '\0'))
		abort();
	if (rc < 0)
		return;
	if (motion.bone_count != expected->bone_count ||
		motion.last_frame != expected->last_frame ||
		motion.duplicate_keys != expected->duplicate_keys ||
		motion.property_count != expected->property_count ||
		strcmp(motion.truncated, expected->truncated) != 0)
		abort();
	if (motion.baked.frames > 0)
		check_baked(fd, &motion, expected);
	else
		check(&motion);
	fmt_vmd_free(&motion);
}

/* A file read in pieces must be what the same bytes in memory are. */
static void
read_file(const uint8_t *data, size_t size, const struct fmt_vmd_options *options,
	const struct fmt_vmd *expected)
{
	struct fmt_vmd motion;
	struct fmt_err err = {0};
	int fd = memfd_create("vmd", MFD_CLOEXEC);

	if (fd < 0 || write(fd, data, size) != (ssize_t)size ||
		lseek(fd, 0, SEEK_SET) < 0)
		abort();
	int rc = fmt_vmd_read_file(fd, size, options, &motion, &err);
	read_baked(fd, size, options, expected);
	close(fd);
	if ((rc == 0) != (expected != NULL) || (rc < 0 && err.text[0] == '\0'))
		abort();
	if (rc < 0)
		return;
	check(&motion);
	if (motion.bone_count != expected->bone_count ||
		motion.last_frame != expected->last_frame ||
		motion.duplicate_keys != expected->duplicate_keys ||
		motion.property_count != expected->property_count ||
		strcmp(motion.truncated, expected->truncated) != 0)
		abort();
	fmt_vmd_free(&motion);
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
			read_file(data, size, &options, &motion);
			fmt_vmd_free(&motion);
		} else {
			if (err.text[0] == '\0')
				abort();
			read_file(data, size, &options, NULL);
		}
	}
#ifdef KILN_PLANTED_BUG
	static volatile uint32_t sink;
	sink += careless(data, size);
	(void)sink;
#endif
	return 0;
}
