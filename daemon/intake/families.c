/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A candidate is named by its folder and its family: "shot/frame_/.png" for the files
 * shot/frame_N.png ('/' stands in no name, so nothing else is called that), "shot/chair"
 * for shot/chair.obj and its companions.
 */
#include "daemon/intake/families.h"

#include "daemon/base/log.h"
#include "daemon/base/name.h"
#include "daemon/base/series.h"
#include "daemon/base/stems.h"
#include "daemon/intake/census.h"
#include "plugins/kiln_plugin.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct kd_families {
	const struct kd_rule *rule;
	struct kd_root *root;
	struct kd_families_handler handler;
	struct kd_settle *settle;
	struct kd_settle *patience; /* those with gaps, while gaps = "wait:..." */
	/* Each has its own, lest they read two folders by turns for ever. */
	struct kd_census *census, *patient_census;
	int judging; /* what settle has read is at hand, for patience too */
};

/* A candidate's name apart: its folder, NUL-ended in `folder`, and its family. */
static const char *
split(const struct kd_families *families, const char *candidate, char folder[PATH_MAX])
{
	size_t length = strlen(candidate);
	int slashes = families->rule->unit == KILN_SEQUENCE ? 2 : 1;
	while (length > 0 && slashes > 0)
		slashes -= candidate[--length] == '/';
	snprintf(folder, PATH_MAX, "%.*s", (int)length, candidate);
	return candidate + length + (slashes == 0);
}

static int
look_in(struct kd_families *families, struct kd_census *census, const char *candidate,
	struct kd_settle_reach *reach, struct kd_look *seen)
{
	char folder[PATH_MAX];
	const char *family = split(families, candidate, folder);
	int root = kd_root_open(families->root);
	if (root < 0) /* away: a scan finds what is there then */
		return -ENOENT;
	reach->entries--;
	int rc = kd_census_take(census, root, folder, reach);
	return rc != 0 ? rc : kd_census_look(census, family, seen);
}

static int
look(void *context, const char *candidate, struct kd_settle_reach *reach,
	struct kd_look *seen)
{
	struct kd_families *families = context;
	return look_in(families, families->census, candidate, reach, seen);
}

/* What begins to wait was read just now. */
static int
look_patiently(void *context, const char *candidate, struct kd_settle_reach *reach,
	struct kd_look *seen)
{
	struct kd_families *families = context;
	if (families->judging)
		reach->since = 0;
	return look_in(families,
		families->judging ? families->census : families->patient_census,
		candidate, reach, seen);
}

/* What is told of one family's sequences. */
struct telling {
	struct kd_families *families;
	const struct kd_census *census;
	const char *candidate, *folder, *family;
	int patient; /* nothing more is waited for */
	int waits;   /* one of them does, by now */
};

static void
tell(const struct telling *telling, const char *name, const struct kd_look *seen)
{
	struct kd_families *families = telling->families;
	char path[PATH_MAX];
	int length = snprintf(path, sizeof path, "%s%s%s", telling->folder,
		telling->folder[0] == '\0' ? "" : "/", name);
	if (length < (int)sizeof path)
		families->handler.settled(families->handler.context, path, seen);
}

static void
tell_series(const struct telling *telling, const struct kd_census_series *series)
{
	char prefix[NAME_MAX + 1];
	struct kd_look seen;
	const char *slash = strchr(telling->family, '/');
	snprintf(prefix, sizeof prefix, "%.*s", (int)(slash - telling->family),
		telling->family);
	char *pattern = kd_series_pattern(prefix, series->width, slash + 1);
	if (pattern == NULL) {
		kd_log(KD_ERROR,
			"rule '%s': out of memory, '%s...%s' waits for the next scan",
			telling->families->rule->name, KD_NAME(prefix),
			KD_NAME(slash + 1));
		return;
	}
	kd_census_look_series(telling->census, series, &seen);
	tell(telling, pattern, &seen);
	free(pattern);
}

/* One sequence that has been quiet: whole, or refused for its gaps, or to wait. */
static void
judge_series(void *context, const struct kd_census_series *series)
{
	struct telling *telling = context;
	const struct kd_rule *rule = telling->families->rule;
	int64_t first = rule->sequence.first, last = rule->sequence.last;
	if (series->sum.files == 0 || (last >= 0 && series->highest != (uint64_t)last))
		return;
	uint64_t from = first >= 0 ? (uint64_t)first : series->lowest;
	int whole = series->sum.files == series->highest - from + 1;
	if (whole || telling->patient || rule->sequence.gaps != KD_GAPS_WAIT) {
		tell_series(telling, series);
		return;
	}
	/* One that waits already is looked at when its time is over: a scan that meets it
	 * meanwhile does not let it wait anew. */
	kd_settle_note(telling->families->patience, telling->candidate);
	telling->waits = 1;
}

/* The folder has just been read for the look at this candidate. */
static void
settled_as(struct kd_families *families, const char *candidate,
	const struct kd_look *seen, int patient)
{
	char folder[PATH_MAX];
	struct telling telling = {
		.families = families,
		.census = patient ? families->patient_census : families->census,
		.candidate = candidate,
		.folder = folder,
		.family = split(families, candidate, folder),
		.patient = patient,
	};
	/* What could not be looked at is nothing to tell of; a scan finds it again. */
	if (seen->files == 0)
		return;
	if (families->rule->unit == KILN_BUNDLE)
		tell(&telling, kd_census_main(telling.census, telling.family), seen);
	else
		kd_census_each(telling.census, telling.family, judge_series, &telling);
	/* What it waited for has come. */
	if (!patient && !telling.waits)
		kd_settle_drop(families->patience, candidate);
}

static void
settled(void *context, const char *candidate, const struct kd_look *seen)
{
	struct kd_families *families = context;
	families->judging = 1;
	settled_as(families, candidate, seen, 0);
	families->judging = 0;
}

static void
waited(void *context, const char *candidate, const struct kd_look *seen)
{
	settled_as(context, candidate, seen, 1);
}

static void
counted(void *context)
{
	struct kd_families *families = context;
	/* Nobody asks for what is under way any more. */
	if (kd_settle_count(families->settle) == 0)
		kd_census_stop(families->census);
	if (kd_settle_count(families->patience) == 0)
		kd_census_stop(families->patient_census);
	families->handler.counted(families->handler.context);
}

struct kd_families *
kd_families_new(struct ev_loop *loop, const struct kd_rule *rule, struct kd_root *root,
	const struct kd_families_handler *handler)
{
	struct kd_families *families = calloc(1, sizeof *families);
	if (families == NULL)
		return NULL;
	const struct kd_settle_handler settling = {
		.look = look,
		.settled = settled,
		.counted = counted,
		.context = families,
		.lazy = 1,
	};
	const struct kd_settle_handler waiting = {
		.look = look_patiently,
		.settled = waited,
		.counted = counted,
		.context = families,
		.cheap = 1,
	};
	families->rule = rule;
	families->root = root;
	families->handler = *handler;
	families->census = kd_census_new(loop, rule);
	families->patient_census = kd_census_new(loop, rule);
	families->settle = kd_settle_new(loop, rule->settle, &settling);
	families->patience = kd_settle_new(loop, rule->sequence.wait, &waiting);
	if (families->census == NULL || families->patient_census == NULL ||
		families->settle == NULL || families->patience == NULL) {
		kd_families_free(families);
		return NULL;
	}
	return families;
}

void
kd_families_free(struct kd_families *families)
{
	if (families == NULL)
		return;
	kd_settle_free(families->settle);
	kd_settle_free(families->patience);
	kd_census_free(families->census);
	kd_census_free(families->patient_census);
	free(families);
}

static int
see(struct kd_families *families, const char *candidate, int touched)
{
	return touched ? kd_settle_touch(families->settle, candidate)
		       : kd_settle_note(families->settle, candidate);
}

static int
see_numbered(struct kd_families *families, const char *path, int touched)
{
	char candidate[PATH_MAX];
	struct kd_series_place place;
	const char *name = kd_name_base(path);
	if (kd_series_find(name, &place) < 0)
		return 0;
	int length = snprintf(candidate, sizeof candidate, "%.*s/%s",
		(int)((size_t)(name - path) + place.start), path,
		name + place.start + place.digits);
	return length < (int)sizeof candidate ? see(families, candidate, touched) : 0;
}

/* A companion does not say how much of its name is the stem: each that could be one is a
 * candidate, and those that are none are forgotten at the first look.  A scan meets the
 * main files anyway. */
static int
see_stems(struct kd_families *families, const char *path, int touched)
{
	char candidate[PATH_MAX];
	const char *name = kd_name_base(path);
	int rc = 0;
	snprintf(candidate, sizeof candidate, "%s", path);
	char *base = candidate + (name - path);
	if (kd_name_matches(name, families->rule->match)) {
		base[kd_stems_length(name)] = '\0';
		rc = see(families, candidate, touched);
	}
	for (size_t i = strlen(base); rc == 0 && touched && i > 0; i--) {
		if (strchr("._-", base[i]) == NULL && base[i] != '\0')
			continue;
		base[i] = '\0';
		rc = see(families, candidate, 1);
	}
	return rc;
}

int
kd_families_see(struct kd_families *families, const char *path, int touched)
{
	return families->rule->unit == KILN_BUNDLE
		       ? see_stems(families, path, touched)
		       : see_numbered(families, path, touched);
}

/* The candidate that a path belongs to, a sequence's or one of its files'; -EINVAL when it
 * is no such path. */
static int
numbered_candidate(const char *path, char name[PATH_MAX])
{
	struct kd_series series;
	struct kd_series_place place;
	const char *base = kd_name_base(path);
	size_t folder = (size_t)(base - path);
	int length, rc = kd_series_parse(base, &series);
	if (rc == 0) {
		length = snprintf(name, PATH_MAX, "%.*s%s/%s", (int)folder, path,
			series.prefix, series.suffix);
		kd_series_clear(&series);
		return length < PATH_MAX ? 0 : -EINVAL;
	}
	if (rc != -EINVAL || kd_series_find(base, &place) < 0)
		return rc;
	length = snprintf(name, PATH_MAX, "%.*s/%s", (int)(folder + place.start), path,
		base + place.start + place.digits);
	return length < PATH_MAX ? 0 : -EINVAL;
}

static int
stem_candidate(const char *path, char name[PATH_MAX])
{
	const char *base = kd_name_base(path);
	int length = snprintf(name, PATH_MAX, "%.*s",
		(int)((size_t)(base - path) + kd_stems_length(base)), path);
	return length < PATH_MAX ? 0 : -EINVAL;
}

int
kd_families_touch(struct kd_families *families, const char *path)
{
	char candidate[PATH_MAX];
	int rc = families->rule->unit == KILN_BUNDLE
			 ? stem_candidate(path, candidate)
			 : numbered_candidate(path, candidate);
	return rc == 0 ? see(families, candidate, 1) : rc == -ENOMEM ? rc : 0;
}

/* Whether one of the stems that a file's name may begin with is there. */
static int
has_stem(const struct kd_settle *settle, const char *path)
{
	char candidate[PATH_MAX];
	size_t folder = (size_t)(kd_name_base(path) - path);
	if (snprintf(candidate, sizeof candidate, "%s", path) >= (int)sizeof candidate)
		return 0;
	for (size_t length = strlen(path); length > folder; length--) {
		if (candidate[length] != '\0' && strchr("._-", candidate[length]) == NULL)
			continue;
		candidate[length] = '\0';
		if (kd_settle_has(settle, candidate))
			return 1;
	}
	return 0;
}

static int
has(const struct kd_families *families, const struct kd_settle *settle, const char *path)
{
	char candidate[PATH_MAX];
	if (families->rule->unit == KILN_BUNDLE)
		return has_stem(settle, path);
	return numbered_candidate(path, candidate) == 0 &&
	       kd_settle_has(settle, candidate);
}

int
kd_families_has(const struct kd_families *families, const char *path)
{
	return has(families, families->settle, path);
}

int
kd_families_waits(const struct kd_families *families, const char *path)
{
	return has(families, families->patience, path);
}

void
kd_families_stop(struct kd_families *families)
{
	kd_census_stop(families->census);
	kd_census_stop(families->patient_census);
}

uint64_t
kd_families_waiting(const struct kd_families *families)
{
	return kd_settle_count(families->patience);
}

uint64_t
kd_families_count(const struct kd_families *families)
{
	return kd_settle_count(families->settle);
}
