/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which unit a file belongs to, by names alone: the ledger knows a sequence by its pattern
 * and a bundle by its main file, and neither by what else belongs to them.
 */
#include "daemon/base/name.h"
#include "daemon/base/series.h"
#include "daemon/base/stems.h"
#include "daemon/queue/ledger_order.h"
#include "plugins/kiln_plugin.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

struct search {
	struct kd_ledger *ledger;
	const char *rule, *path, *base;
	size_t folder; /* so much of path comes before base */
	int64_t unit;  /* 0: none was found */
};

/* The newest unit of that name in the folder, if that is newer than what was found. */
static int
try_name(struct search *search, const char *name)
{
	char path[PATH_MAX];
	int length = snprintf(
		path, sizeof path, "%.*s%s", (int)search->folder, search->path, name);
	sqlite3_stmt *stmt = kd_ledger_statement(
		search->ledger, "SELECT max(id) FROM unit WHERE rule = ?1 AND path = ?2");
	if (length >= (int)sizeof path)
		return SQLITE_OK;
	if (stmt == NULL)
		return SQLITE_ERROR;
	kd_ledger_bind_text(stmt, 1, search->rule);
	sqlite3_bind_blob(stmt, 2, path, length, SQLITE_STATIC);
	int rc = sqlite3_step(stmt);
	if (rc == SQLITE_ROW && sqlite3_column_int64(stmt, 0) > search->unit)
		search->unit = sqlite3_column_int64(stmt, 0);
	sqlite3_reset(stmt);
	return rc == SQLITE_ROW || rc == SQLITE_DONE ? SQLITE_OK : rc;
}

/* 0100 can only be of %04d; 1000 of all widths up to its own. */
static int
search_series(struct search *search)
{
	struct kd_series_place place;
	int rc = SQLITE_OK;
	if (kd_series_find(search->base, &place) < 0)
		return rc;
	char *prefix = strndup(search->base, place.start);
	const char *suffix = search->base + place.start + place.digits;
	unsigned width = place.padded ? (unsigned)place.digits : 0;
	for (; rc == SQLITE_OK && prefix != NULL && width <= place.digits; width++) {
		char *pattern =
			width == 1 ? NULL : kd_series_pattern(prefix, width, suffix);
		if (pattern != NULL)
			rc = try_name(search, pattern);
		free(pattern);
	}
	free(prefix);
	return rc;
}

/* The newest unit whose main file has the first `length` bytes of base as its stem. */
static int
try_stem(struct search *search, size_t length)
{
	char from[PATH_MAX], to[PATH_MAX];
	int bytes = snprintf(
		from, sizeof from, "%.*s", (int)(search->folder + length), search->path);
	/* '/' comes behind '.', and in no name. */
	if (snprintf(to, sizeof to, "%s/", from) >= (int)sizeof to)
		return SQLITE_OK;
	sqlite3_stmt *stmt = kd_ledger_statement(search->ledger,
		"SELECT id, path FROM unit WHERE rule = ?1 AND path >= ?2 AND path < ?3"
		" ORDER BY id DESC");
	if (stmt == NULL)
		return SQLITE_ERROR;
	kd_ledger_bind_text(stmt, 1, search->rule);
	sqlite3_bind_blob(stmt, 2, from, bytes, SQLITE_STATIC);
	sqlite3_bind_blob(stmt, 3, to, bytes + 1, SQLITE_STATIC);
	int rc = SQLITE_ROW;
	while (search->unit == 0 && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		int size = sqlite3_column_bytes(stmt, 1);
		const char *bytes_of = sqlite3_column_blob(stmt, 1);
		char *path = strndup(bytes_of == NULL ? "" : bytes_of, (size_t)size);
		if (path == NULL)
			break;
		if (kd_stems_length(kd_name_base(path)) == length)
			search->unit = sqlite3_column_int64(stmt, 0);
		free(path);
	}
	sqlite3_reset(stmt);
	return rc == SQLITE_ROW || rc == SQLITE_DONE ? SQLITE_OK : rc;
}

/* A file belongs to the longest stem that fits it. */
static int
search_stems(struct search *search)
{
	int rc = SQLITE_OK;
	for (size_t length = strlen(search->base);
		rc == SQLITE_OK && search->unit == 0 && length > 0; length--)
		if (search->base[length] == '\0' ||
			strchr("._-", search->base[length]) != NULL)
			rc = try_stem(search, length);
	return rc;
}

int
kd_ledger_member(
	struct kd_ledger *ledger, const struct kd_ledger_query *query, int64_t *unit)
{
	struct search search = {
		.ledger = ledger,
		.rule = query->rule,
		.path = query->path,
		.base = kd_name_base(query->path),
	};
	search.folder = (size_t)(search.base - search.path);
	int rc = try_name(&search, search.base);
	if (rc == SQLITE_OK && search.unit == 0)
		rc = query->member == KILN_SEQUENCE ? search_series(&search)
						    : search_stems(&search);
	*unit = search.unit;
	return rc;
}
