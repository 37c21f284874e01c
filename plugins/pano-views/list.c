/* SPDX-License-Identifier: BSD-2-Clause */
#include "plugins/pano-views/list.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define MASK "_mask.png"

static int
is_picture(const char *name)
{
	static const char *const suffixes[] = {
		".jpg", ".jpeg", ".png", ".tif", ".tiff", ".exr"};
	const char *dot = strrchr(name, '.');
	for (size_t i = 0; dot != NULL && i < sizeof suffixes / sizeof suffixes[0]; i++)
		if (strcasecmp(dot, suffixes[i]) == 0)
			return 1;
	return 0;
}

/* Sorts frames so that those whose outputs would have one name stand side by side. */
static int
by_stem(const void *a, const void *b)
{
	const struct pv_frame *one = a, *other = b;
	int order = strcmp(one->stem, other->stem);
	return order != 0 ? order : strcmp(one->name, other->name);
}

static int
refuse_twins(const struct pv_list *list, struct fmt_err *err)
{
	for (uint32_t i = 1; i < list->frame_count; i++)
		if (strcmp(list->frames[i - 1].stem, list->frames[i].stem) == 0)
			return fmt_err_set(err, -EBADMSG,
				"'%s' and '%s' would have views of the same name; rename "
				"one",
				list->frames[i - 1].name, list->frames[i].name);
	return 0;
}

static int
ends_with(const char *name, const char *end)
{
	const size_t length = strlen(name), taken = strlen(end);
	return length > taken && strcmp(name + length - taken, end) == 0;
}

/* Whether one of the folders that a name goes through is called so. */
static int
goes_through(const char *name, const char *folder)
{
	const size_t length = strlen(folder);
	for (const char *end; (end = strchr(name, '/')) != NULL; name = end + 1)
		if ((size_t)(end - name) == length && memcmp(name, folder, length) == 0)
			return 1;
	return 0;
}

static int
is_mask(const char *name)
{
	return ends_with(name, MASK) || (is_picture(name) && goes_through(name, "masks"));
}

/* What a mask and its frame have in common: the name without folders that only say what
 * is in them, and without so many bytes of its end.  For free(3). */
static char *
key_of(const char *name, size_t cut)
{
	char *key = strdup(name), *to = key;
	if (key == NULL)
		return NULL;
	key[strlen(key) - cut] = '\0';
	for (const char *at = key, *end; at != NULL; at = end) {
		end = strchr(at, '/');
		const size_t length = end != NULL ? (size_t)(end++ - at) : strlen(at);
		if (end != NULL && ((length == 5 && memcmp(at, "masks", 5) == 0) ||
					   (length == 6 && memcmp(at, "images", 6) == 0)))
			continue;
		memmove(to, at, length + 1);
		to += length + (end != NULL);
	}
	*to = '\0';
	return key;
}

struct mask {
	char *key;
	const char *name;
	int taken;
};

static int
by_key(const void *a, const void *b)
{
	const struct mask *one = a, *other = b;
	int order = strcmp(one->key, other->key);
	return order != 0 ? order : strcmp(one->name, other->name);
}

/* The first mask of a key, which is freed; NULL: none.  masks: sorted. */
static struct mask *
find(struct mask *masks, uint32_t count, char *key)
{
	uint32_t first = 0, past = count;
	while (first < past) {
		const uint32_t middle = first + (past - first) / 2;
		if (strcmp(masks[middle].key, key) < 0)
			first = middle + 1;
		else
			past = middle;
	}
	const int is_found = first < count && strcmp(masks[first].key, key) == 0;
	free(key);
	return is_found ? &masks[first] : NULL;
}

/* Gives each frame its mask: that of its whole name, else that of its name without the
 * suffix. */
static int
match(const struct pv_list *list, struct mask *masks)
{
	for (uint32_t i = 0; i < list->frame_count; i++) {
		struct pv_frame *frame = &list->frames[i];
		const char *dot = strrchr(frame->name, '.');
		char *whole = key_of(frame->name, 0),
		     *stem = key_of(frame->name, strlen(dot));
		if (whole == NULL || stem == NULL) {
			free(whole);
			free(stem);
			return -ENOMEM;
		}
		struct mask *by_whole = find(masks, list->orphan_count, whole);
		struct mask *by_stem_alone = find(masks, list->orphan_count, stem);
		struct mask *found = by_whole != NULL ? by_whole : by_stem_alone;
		if (found != NULL) {
			frame->mask = found->name;
			found->taken = 1;
		}
	}
	return 0;
}

/* What is left of the orphans is what no frame took. */
static int
match_masks(struct pv_list *list)
{
	const uint32_t count = list->orphan_count;
	struct mask *masks = calloc(count + (size_t)1, sizeof *masks);
	int rc = masks != NULL ? 0 : -ENOMEM;
	for (uint32_t i = 0; rc == 0 && i < count; i++) {
		const char *name = list->orphans[i];
		masks[i].name = name;
		masks[i].key = key_of(
			name, strlen(ends_with(name, MASK) ? MASK : strrchr(name, '.')));
		if (masks[i].key == NULL)
			rc = -ENOMEM;
	}
	if (rc == 0) {
		qsort(masks, count, sizeof *masks, by_key);
		rc = match(list, masks);
	}
	uint32_t kept = 0;
	for (uint32_t i = 0; rc == 0 && i < count; i++)
		if (!masks[i].taken)
			list->orphans[kept++] = masks[i].name;
	list->orphan_count = kept;
	for (uint32_t i = 0; masks != NULL && i < count; i++)
		free(masks[i].key);
	free(masks);
	return rc;
}

static int
take_frame(struct pv_list *list, const struct kiln_unit *unit, const char *name)
{
	char *stem = strdup(unit->kind == KILN_FILE ? unit->stem : name);
	if (stem == NULL)
		return -ENOMEM;
	if (unit->kind != KILN_FILE)
		*strrchr(stem, '.') = '\0';
	list->frames[list->frame_count++] = (struct pv_frame){.name = name, .stem = stem};
	return 0;
}

static int
sort_out(struct pv_list *list, const struct kiln_unit *unit)
{
	list->frames = calloc(unit->input_count + (size_t)1, sizeof *list->frames);
	list->orphans = calloc(unit->input_count + (size_t)1, sizeof *list->orphans);
	if (list->frames == NULL || list->orphans == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < unit->input_count; i++) {
		const char *name = unit->inputs[i]->name;
		if (is_mask(name))
			list->orphans[list->orphan_count++] = name;
		else if ((unit->kind == KILN_FILE || is_picture(name)) &&
			 take_frame(list, unit, name) < 0)
			return -ENOMEM;
	}
	return 0;
}

int
pv_list_make(struct pv_list *list, const struct kiln_unit *unit, int masks,
	struct fmt_err *err)
{
	memset(list, 0, sizeof *list);
	if (sort_out(list, unit) < 0)
		return fmt_err_set(err, -ENOMEM, "no memory for a list of frames");
	if (list->frame_count == 0)
		return fmt_err_set(err, -EBADMSG,
			"expected JPEG, PNG, TIFF or OpenEXR frames, found none%s",
			list->orphan_count > 0
				? " (NAME_mask.png, and what is in masks/, are masks)"
				: "");
	qsort(list->frames, list->frame_count, sizeof *list->frames, by_stem);
	if (!masks)
		list->orphan_count = 0;
	else if (unit->kind != KILN_FILE && match_masks(list) < 0)
		return fmt_err_set(err, -ENOMEM, "no memory for a list of masks");
	return refuse_twins(list, err);
}

void
pv_list_free(struct pv_list *list)
{
	for (uint32_t i = 0; i < list->frame_count; i++)
		free((char *)(uintptr_t)list->frames[i].stem);
	free(list->frames);
	free(list->orphans);
}
