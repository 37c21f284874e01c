/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * toml.h - a TOML document as a plain tree that remembers where everything stood.
 * kd_toml_parse() is the shim over toml++ (toml_shim.cpp): the only C++ of the daemon,
 * and no exception leaves it.  Lines and columns count from 1, columns in characters.
 */
#ifndef KD_TOML_H
#define KD_TOML_H

#include "daemon/base/err.h"

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

enum kd_toml_type {
	KD_TOML_TABLE,
	KD_TOML_ARRAY,
	KD_TOML_STRING,
	KD_TOML_INTEGER,
	KD_TOML_NUMBER,
	KD_TOML_BOOL,
	KD_TOML_TIME, /* a date, a time or both: text, as TOML writes it */
};

struct kd_toml {
	enum kd_toml_type type;
	int line, column; /* of the value */
	char *key;	  /* below a table, else NULL */
	int key_line, key_column;
	char *text;	 /* of a string or time; without NUL inside */
	int64_t integer; /* also of a bool */
	double number;
	uint32_t count; /* of a table (in order of appearance) or array */
	struct kd_toml **children;
};

/* What a document may be at most: a configuration is written by hand. */
#define KD_TOML_BYTES (1u << 20)
#define KD_TOML_DEPTH 32

/* Parses text (NUL not needed).  `file` names it in errors: FILE:LINE:COLUMN: ...
 * -EINVAL for what is no TOML, -ENOMEM. */
int kd_toml_parse(const char *text, size_t length, const char *file,
	struct kd_toml **root, struct kd_err *err);

/* Frees the whole tree; NULL is fine. */
void kd_toml_free(struct kd_toml *toml);

/* A table's child, or NULL. */
const struct kd_toml *kd_toml_get(const struct kd_toml *table, const char *key);

/* The value as JSON (times as strings); NULL when memory is out.  Numbers that JSON
 * cannot say (nan, inf) make NULL too. */
json_t *kd_toml_json(const struct kd_toml *toml);

/* What was found, for people: `"text"`, `12`, `a table`; into buffer, which it returns.
 */
char *kd_toml_found(const struct kd_toml *toml, char *buffer, size_t size);
#define KD_TOML_FOUND(toml) kd_toml_found((toml), (char[200]){0}, 200)

#endif
