/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which patterns a family's numbers make is seen only from all of them: 1000 alone is of
 * "%d", beside 0999 of "%04d".  So numbers are added up by how they are written, their
 * digits and whether a zero leads, and these classes are put together when asked for.
 */
#include "daemon/intake/census.h"

#include "daemon/base/file.h"
#include "daemon/base/name.h"
#include "daemon/base/series.h"
#include "daemon/base/stems.h"
#include "plugins/kiln_plugin.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ENTRIES_MOST = 1000000, FAMILIES_MOST = 100000 };

/* Numbers written alike. */
struct class
{
	struct class *next;
	unsigned digits;
	int padded;
	struct kd_census_series series;
};

struct family {
	char *name;
	struct class *classes;
	struct kd_look_sum sum;
};

/* Which entries a reading is about, one after the other. */
enum phase { NUMBERED, MAINS, COMPANIONS, READ };

struct kd_census {
	struct ev_loop *loop;
	const struct kd_rule *rule;
	char *folder; /* NULL: none was read */
	double since; /* when its reading began */
	enum phase phase;
	DIR *dir; /* while it is read */
	int entries;
	uint64_t ino;
	void *families; /* tsearch(3) by name */
	size_t family_count;
	struct kd_stems stems;
	struct kd_look_sum *sums; /* of stems.list */
};

struct kd_census *
kd_census_new(struct ev_loop *loop, const struct kd_rule *rule)
{
	struct kd_census *census = calloc(1, sizeof *census);
	if (census == NULL)
		return NULL;
	census->loop = loop;
	census->rule = rule;
	return census;
}

static void
family_free(void *node)
{
	struct family *family = node;
	while (family->classes != NULL) {
		struct class *next = family->classes->next;
		free(family->classes);
		family->classes = next;
	}
	free(family->name);
	free(family);
}

static void
close_folder(struct kd_census *census)
{
	if (census->dir != NULL)
		closedir(census->dir);
	census->dir = NULL;
}

static void
forget(struct kd_census *census)
{
	close_folder(census);
	tdestroy(census->families, family_free);
	kd_stems_clear(&census->stems);
	free(census->sums);
	free(census->folder);
	census->families = NULL;
	census->family_count = 0;
	census->sums = NULL;
	census->folder = NULL;
}

void
kd_census_free(struct kd_census *census)
{
	if (census == NULL)
		return;
	forget(census);
	free(census);
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(((const struct family *)a)->name, ((const struct family *)b)->name);
}

static struct family *
find_family(const struct kd_census *census, const char *name)
{
	struct family key = {.name = (char *)name};
	struct family **found = tfind(&key, (void *const *)&census->families, by_name);
	return found == NULL ? NULL : *found;
}

static struct family *
need_family(struct kd_census *census, const char *name)
{
	struct family *family = find_family(census, name);
	if (family != NULL || census->family_count == FAMILIES_MOST)
		return family;
	family = calloc(1, sizeof *family);
	if (family == NULL)
		return NULL;
	family->name = strdup(name);
	if (family->name == NULL || tsearch(family, &census->families, by_name) == NULL) {
		family_free(family);
		return NULL;
	}
	census->family_count++;
	return family;
}

static struct class *
need_class(struct family *family, const struct kd_series_place *place)
{
	struct class *class = family->classes;
	while (class != NULL &&
		(class->digits != place->digits || class->padded != place->padded))
		class = class->next;
	if (class != NULL)
		return class;
	class = calloc(1, sizeof *class);
	if (class == NULL)
		return NULL;
	class->digits = (unsigned)place->digits;
	class->padded = place->padded;
	class->series.lowest = UINT64_MAX;
	class->next = family->classes;
	family->classes = class;
	return class;
}

static void
add_sum(struct kd_look_sum *to, const struct kd_look_sum *from)
{
	to->files += from->files;
	to->bytes += from->bytes;
	to->fingerprint += from->fingerprint;
	to->freshness += from->freshness;
}

static int
is_wanted(const struct kd_rule *rule, uint64_t number)
{
	return (rule->sequence.first < 0 || number >= (uint64_t)rule->sequence.first) &&
	       (rule->sequence.last < 0 || number <= (uint64_t)rule->sequence.last);
}

static int
count_numbered(struct kd_census *census, int dir, const char *name)
{
	struct kd_series_place place;
	struct kd_look_sum sum = {0};
	char family_name[NAME_MAX + 2];
	if (!kd_name_matches(name, census->rule->match) ||
		kd_series_find(name, &place) < 0 ||
		!is_wanted(census->rule, place.number) ||
		kd_look_add(dir, name, &sum) != 0)
		return 0;
	snprintf(family_name, sizeof family_name, "%.*s/%s", (int)place.start, name,
		name + place.start + place.digits);
	struct family *family = need_family(census, family_name);
	struct class *class = family == NULL ? NULL : need_class(family, &place);
	if (class == NULL)
		return census->family_count == FAMILIES_MOST ? 0 : -ENOMEM;
	add_sum(&family->sum, &sum);
	add_sum(&class->series.sum, &sum);
	if (place.number < class->series.lowest)
		class->series.lowest = place.number;
	if (place.number > class->series.highest)
		class->series.highest = place.number;
	return 0;
}

static int
count_stem(struct kd_census *census, int dir, const char *name)
{
	long stem = kd_stems_of(&census->stems, name);
	if (stem >= 0)
		kd_look_add(dir, name, &census->sums[stem]);
	return 0;
}

static int
note_main(struct kd_census *census, int dir, const char *name)
{
	(void)dir;
	if (census->stems.count == FAMILIES_MOST)
		return 0;
	int rc = kd_stems_add(&census->stems, name, census->rule->match);
	return rc < 0 ? rc : 0;
}

void
kd_census_stop(struct kd_census *census)
{
	if (census->dir != NULL)
		forget(census);
}

static int
take_entry(struct kd_census *census, const char *name)
{
	const int dir = dirfd(census->dir);
	switch (census->phase) {
	case NUMBERED:
		return count_numbered(census, dir, name);
	case MAINS:
		return note_main(census, dir, name);
	case COMPANIONS:
		return count_stem(census, dir, name);
	case READ:
		break;
	}
	return 0;
}

/* Takes all entries of the present phase that the rule does not ignore. */
static int
read_entries(struct kd_census *census, int *entries)
{
	const struct dirent *entry;
	int rc = 0;
	while (rc == 0 && census->entries < ENTRIES_MOST) {
		if (*entries <= 0)
			return KD_SETTLE_MORE;
		entry = readdir(census->dir);
		if (entry == NULL)
			break;
		*entries -= 1;
		census->entries++;
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
			entry->d_type != DT_DIR &&
			!kd_name_matches(entry->d_name, census->rule->ignore))
			rc = take_entry(census, entry->d_name);
	}
	return rc;
}

/* The main files are known: what belongs to them is counted, from the first entry on. */
static int
begin_companions(struct kd_census *census)
{
	kd_stems_seal(&census->stems);
	census->sums = calloc(census->stems.count + 1, sizeof *census->sums);
	census->phase = COMPANIONS;
	census->entries = 0;
	rewinddir(census->dir);
	return census->sums == NULL ? -ENOMEM : 0;
}

static int
read_on(struct kd_census *census, int *entries)
{
	int rc = read_entries(census, entries);
	if (rc == 0 && census->phase == MAINS) {
		rc = begin_companions(census);
		if (rc == 0)
			rc = read_entries(census, entries);
	}
	if (rc == 0) {
		census->phase = READ;
		close_folder(census);
	}
	return rc;
}

static int
begin_folder(struct kd_census *census, int root, const char *path)
{
	struct stat st;
	forget(census);
	int fd = kd_file_open_beneath(root, path[0] == '\0' ? "." : path,
		O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
	if (fd < 0)
		return fd;
	census->dir = fstat(fd, &st) < 0 ? NULL : fdopendir(fd);
	if (census->dir == NULL) {
		close(fd);
		return -ENOMEM;
	}
	census->ino = st.st_ino;
	census->since = ev_now(census->loop);
	census->entries = 0;
	census->phase = census->rule->unit == KILN_BUNDLE ? MAINS : NUMBERED;
	census->folder = strdup(path);
	return census->folder == NULL ? -ENOMEM : 0;
}

int
kd_census_take(struct kd_census *census, int root, const char *path,
	struct kd_settle_reach *reach)
{
	int at_hand = census->folder != NULL && strcmp(census->folder, path) == 0;
	if (at_hand && census->phase == READ && census->since >= reach->since)
		return 0;
	int rc = at_hand && census->phase != READ ? 0 : begin_folder(census, root, path);
	if (rc == 0)
		rc = read_on(census, &reach->entries);
	if (rc < 0)
		forget(census);
	return rc;
}

static const struct kd_look_sum *
sum_of(const struct kd_census *census, const char *name)
{
	if (census->rule->unit == KILN_BUNDLE) {
		long stem = kd_stems_find(&census->stems, name, strlen(name));
		return stem < 0 ? NULL : &census->sums[stem];
	}
	const struct family *family = find_family(census, name);
	return family == NULL ? NULL : &family->sum;
}

int
kd_census_look(const struct kd_census *census, const char *name, struct kd_look *look)
{
	const struct kd_look_sum *sum = sum_of(census, name);
	if (sum == NULL || sum->files == 0)
		return -ENOENT;
	kd_look_set(census->ino, sum, look);
	return 0;
}

const char *
kd_census_main(const struct kd_census *census, const char *stem)
{
	long found = kd_stems_find(&census->stems, stem, strlen(stem));
	return found < 0 ? NULL : census->stems.list[found].main;
}

/* Whether names with leading zeros say that there is a pattern of that width. */
static int
has_width(const struct family *family, unsigned width)
{
	for (const struct class *c = family->classes; c != NULL; c = c->next)
		if (c->padded && c->digits == width)
			return 1;
	return 0;
}

/* Whether a class of numbers without leading zeros makes a pattern "%d": not, when they
 * are what a wider pattern comes to. */
static int
is_plain(const struct family *family, const struct class *class)
{
	if (class->padded)
		return 0;
	for (unsigned width = 2; width <= class->digits; width++)
		if (has_width(family, width))
			return 0;
	return 1;
}

static int
is_of(const struct class *class, unsigned width)
{
	return class->padded ? class->digits == width : class->digits >= width;
}

static void
tell_series(
	const struct family *family, unsigned width, kd_census_fn *each, void *context)
{
	struct kd_census_series series = {.width = width, .lowest = UINT64_MAX};
	for (const struct class *c = family->classes; c != NULL; c = c->next) {
		if (!is_of(c, width))
			continue;
		add_sum(&series.sum, &c->series.sum);
		if (c->series.lowest < series.lowest)
			series.lowest = c->series.lowest;
		if (c->series.highest > series.highest)
			series.highest = c->series.highest;
	}
	each(context, &series);
}

void
kd_census_each(const struct kd_census *census, const char *name, kd_census_fn *each,
	void *context)
{
	const struct family *family = find_family(census, name);
	int plain = 0;
	if (family == NULL)
		return;
	for (const struct class *c = family->classes; c != NULL; c = c->next) {
		plain |= is_plain(family, c);
		if (c->padded)
			tell_series(family, c->digits, each, context);
	}
	if (plain)
		tell_series(family, 0, each, context);
}

void
kd_census_look_series(const struct kd_census *census,
	const struct kd_census_series *series, struct kd_look *look)
{
	kd_look_set(census->ino, &series->sum, look);
}
