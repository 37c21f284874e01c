/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/worker/family.h"

#include "daemon/base/name.h"
#include "daemon/base/series.h"
#include "daemon/base/stems.h"
#include "plugins/kiln_plugin.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* So many missing runs of frames are told by number. */
enum { RUNS_TOLD = 8 };

int
kd_family_compare(uint32_t kind, const char *left, const char *right)
{
	size_t a = strlen(left), b = strlen(right);
	/* Of one pattern the longer name has the larger number. */
	if (kind == KILN_SEQUENCE && a != b)
		return a < b ? -1 : 1;
	return strcmp(left, right);
}

static int
by_number(const void *a, const void *b)
{
	return kd_family_compare(KILN_SEQUENCE, *(char *const *)a, *(char *const *)b);
}

static int
by_bytes(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int
add(struct kd_family_names *names, const char *name, struct kd_err *err)
{
	if (names->count == KD_CONTENT_FILES)
		return kd_err_set(
			err, -E2BIG, "it holds more than %d files", KD_CONTENT_FILES);
	if (names->count == names->room) {
		size_t room = names->room == 0 ? 16 : names->room * 2;
		void *more = realloc(names->list, room * sizeof *names->list);
		if (more == NULL)
			return -ENOMEM;
		names->list = more;
		names->room = room;
	}
	names->list[names->count] = strdup(name);
	return names->list[names->count++] == NULL ? -ENOMEM : 0;
}

/* One reading of the folder; directories are nobody's frames or companions. */
struct reading {
	const struct kd_content_source *source;
	struct kd_family_names *names;
	struct kd_series series;
	struct kd_stems stems;
	long stem; /* ours */
	struct kd_err *err;
};

static int
take_numbered(struct reading *reading, const char *name)
{
	const struct kd_content_source *source = reading->source;
	uint64_t number;
	if (!kd_series_holds(&reading->series, name, &number) ||
		(source->first >= 0 && number < (uint64_t)source->first) ||
		(source->last >= 0 && number > (uint64_t)source->last))
		return 0;
	return add(reading->names, name, reading->err);
}

static int
note_main(struct reading *reading, const char *name)
{
	int rc = kd_stems_add(&reading->stems, name, reading->source->match);
	return rc < 0 ? rc : 0;
}

static int
take_stem(struct reading *reading, const char *name)
{
	return kd_stems_of(&reading->stems, name) == reading->stem
		       ? add(reading->names, name, reading->err)
		       : 0;
}

static int
read_folder(int fd, struct reading *reading,
	int (*take)(struct reading *reading, const char *name))
{
	char *const *ignore = reading->source->ignore;
	int again = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = again < 0 ? NULL : fdopendir(again);
	if (dir == NULL) {
		int error = errno;
		if (again >= 0)
			close(again);
		return -error;
	}
	int rc = 0;
	const struct dirent *entry;
	while (rc == 0 && (errno = 0, entry = readdir(dir)) != NULL)
		if (entry->d_type != DT_DIR && strcmp(entry->d_name, ".") != 0 &&
			strcmp(entry->d_name, "..") != 0 &&
			(ignore == NULL || !kd_name_matches(entry->d_name, ignore)))
			rc = take(reading, entry->d_name);
	if (rc == 0 && errno != 0)
		rc = kd_err_errno(reading->err, -errno, "cannot list its folder");
	closedir(dir);
	return rc;
}

static int
list_bundle(int dir, struct reading *reading)
{
	const char *name = kd_name_base(reading->source->path);
	if (reading->source->match == NULL)
		return -EINVAL;
	int rc = read_folder(dir, reading, note_main);
	kd_stems_seal(&reading->stems);
	reading->stem = kd_stems_find(&reading->stems, name, kd_stems_length(name));
	if (rc < 0)
		return rc;
	return reading->stem < 0 ? -ENOENT : read_folder(dir, reading, take_stem);
}

/* Missing frames in words: "17, 20 to 22 and 5 more". */
struct missing {
	char text[400];
	size_t length;
	unsigned runs;
	uint64_t frames;
};

static void
note_missing(struct missing *missing, uint64_t from, uint64_t to)
{
	missing->frames += to - from + 1;
	if (missing->runs++ >= RUNS_TOLD)
		return;
	const char *comma = missing->length > 0 ? ", " : "";
	char *at = missing->text + missing->length;
	size_t left = sizeof missing->text - missing->length;
	int length =
		from == to ? snprintf(at, left, "%s%llu", comma, (unsigned long long)from)
			   : snprintf(at, left, "%s%llu to %llu", comma,
				     (unsigned long long)from, (unsigned long long)to);
	missing->length += (size_t)length;
}

/* The names are in order. */
static int
check_gaps(const struct reading *reading, struct kd_err *err)
{
	const struct kd_content_source *source = reading->source;
	const struct kd_family_names *names = reading->names;
	struct missing missing = {0};
	uint64_t number = 0, next = 0;
	for (size_t i = 0; i < names->count; i++) {
		if (!kd_series_holds(&reading->series, names->list[i], &number))
			return -EINVAL;
		if (i == 0)
			next = source->first >= 0 ? (uint64_t)source->first : number;
		if (number > next)
			note_missing(&missing, next, number - 1);
		next = number + 1;
	}
	if (source->last >= 0 && number != (uint64_t)source->last)
		return kd_err_set(err, -EAGAIN, "its last frame, %lld, is not there",
			(long long)source->last);
	if (missing.frames == 0 || source->gaps)
		return 0;
	if (missing.runs > RUNS_TOLD)
		return kd_err_set(err, -EINVAL,
			"%llu frames are missing: %s and more in %u places",
			(unsigned long long)missing.frames, missing.text,
			missing.runs - RUNS_TOLD);
	return kd_err_set(err, -EINVAL, "%llu frame%s missing: %s",
		(unsigned long long)missing.frames, missing.frames == 1 ? " is" : "s are",
		missing.text);
}

static int
list_sequence(int dir, int complete, struct reading *reading)
{
	struct kd_family_names *names = reading->names;
	int rc = kd_series_parse(kd_name_base(reading->source->path), &reading->series);
	if (rc < 0)
		return rc == -EINVAL ? kd_err_set(reading->err, rc,
					       "its name is no pattern of numbered files")
				     : rc;
	rc = read_folder(dir, reading, take_numbered);
	if (rc == 0 && names->count > 1)
		qsort(names->list, names->count, sizeof *names->list, by_number);
	if (rc == 0 && names->count > 0 && complete)
		rc = check_gaps(reading, reading->err);
	return rc;
}

int
kd_family_list(int dir, const struct kd_content_source *source, int complete,
	struct kd_family_names *names, struct kd_err *err)
{
	struct reading reading = {.source = source, .names = names, .err = err};
	int rc = source->kind == KILN_SEQUENCE ? list_sequence(dir, complete, &reading)
					       : list_bundle(dir, &reading);
	if (rc == 0 && source->kind == KILN_BUNDLE && names->count > 1)
		qsort(names->list, names->count, sizeof *names->list, by_bytes);
	if (rc == 0 && names->count == 0)
		rc = -ENOENT;
	kd_series_clear(&reading.series);
	kd_stems_clear(&reading.stems);
	return rc;
}

void
kd_family_clear(struct kd_family_names *names)
{
	for (size_t i = 0; i < names->count; i++)
		free(names->list[i]);
	free(names->list);
	*names = (struct kd_family_names){0};
}
