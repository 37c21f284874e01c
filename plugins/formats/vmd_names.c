/* SPDX-License-Identifier: BSD-2-Clause */
#include "plugins/formats/vmd_names.h"

#include "plugins/formats/text.h"

#include <errno.h>
#include <stdlib.h>

/* How many names of the file are no text in this encoding. */
static uint32_t
count_wrong(const struct fmt_vmd *motion, enum fmt_text_encoding encoding)
{
	const struct fmt_vmd_track *sets[2] = {motion->bones, motion->morphs};
	const uint32_t counts[2] = {motion->bone_count, motion->morph_count};
	uint32_t wrong_names = 0;

	for (int set = 0; set < 2; set++) {
		for (uint32_t i = 0; i < counts[set]; i++) {
			unsigned wrong = 0;
			free(fmt_text_decode(
				sets[set][i].vmd_name, 15, encoding, &wrong));
			wrong_names += wrong > 0;
		}
	}
	return wrong_names;
}

static enum fmt_text_encoding
choose_encoding(const struct fmt_vmd *motion, enum fmt_vmd_encoding fallback)
{
	/* cp932 is hardly ever well-formed UTF-8 by chance, but often well-formed GBK. */
	if (fallback == FMT_VMD_UTF8 && count_wrong(motion, FMT_TEXT_UTF8) == 0)
		return FMT_TEXT_UTF8;
	if (fallback == FMT_VMD_GBK &&
		count_wrong(motion, FMT_TEXT_GBK) < count_wrong(motion, FMT_TEXT_CP932))
		return FMT_TEXT_GBK;
	return FMT_TEXT_CP932;
}

static int
name_tracks(struct fmt_vmd_track *tracks, uint32_t count, enum fmt_text_encoding encoding)
{
	for (uint32_t i = 0; i < count; i++) {
		tracks[i].name = fmt_text_decode(tracks[i].vmd_name, 15, encoding, NULL);
		if (tracks[i].name == NULL)
			return -ENOMEM;
		if (encoding != FMT_TEXT_CP932)
			fmt_text_vmd_name(tracks[i].name, tracks[i].vmd_name);
	}
	return 0;
}

/* The switches of the property keys name bones too. */
static int
name_switches(struct fmt_vmd *motion, enum fmt_text_encoding encoding)
{
	if (encoding == FMT_TEXT_CP932)
		return 0;
	for (uint32_t i = 0; i < motion->property_count; i++) {
		for (uint32_t k = 0; k < motion->properties[i].ik_count; k++) {
			char *raw = motion->properties[i].ik[k].vmd_name;
			char *utf8 = fmt_text_decode(raw, 15, encoding, NULL);
			if (utf8 == NULL)
				return -ENOMEM;
			fmt_text_vmd_name(utf8, raw);
			free(utf8);
		}
	}
	return 0;
}

int
fmt_vmd_names_give(
	struct fmt_vmd *motion, enum fmt_vmd_encoding fallback, struct fmt_err *err)
{
	enum fmt_text_encoding encoding = choose_encoding(motion, fallback);

	int rc = name_tracks(motion->bones, motion->bone_count, encoding);
	if (rc == 0)
		rc = name_tracks(motion->morphs, motion->morph_count, encoding);
	if (rc == 0)
		rc = name_switches(motion, encoding);
	return rc < 0 ? fmt_err_set(err, rc, "no memory for names") : 0;
}
