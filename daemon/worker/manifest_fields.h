/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * manifest_fields.h - structs to and from JSON by tables: one per struct says which member
 * stands under which key, so that writing and reading cannot drift apart.
 */
#ifndef KD_MANIFEST_FIELDS_H
#define KD_MANIFEST_FIELDS_H

#include "daemon/base/err.h"

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

enum kd_manifest_kind {
	KD_FIELD_NAME,	   /* char *, escaped; never NULL */
	KD_FIELD_NAME_OPT, /* char *, escaped; null is NULL */
	KD_FIELD_NAMES,	   /* char **, NULL-ended, escaped; absent or null is NULL */
	KD_FIELD_HASH,	   /* char [KD_HASH_HEX], may be "" */
	KD_FIELD_I64,
	KD_FIELD_I64_OPT, /* of zero or above; absent or null is -1 */
	KD_FIELD_U64,
	KD_FIELD_U64_OPT, /* absent is 0 */
	KD_FIELD_U32,
	KD_FIELD_U32_OPT, /* absent is 0 */
	KD_FIELD_BOOL,	  /* int */
	KD_FIELD_REAL,
	KD_FIELD_CHOICE, /* an enum, by its name in `names` */
};

struct kd_manifest_field {
	const char *key;
	enum kd_manifest_kind kind;
	size_t offset;
	const char *const *names; /* NULL-ended, in the enum's order */
};

#define KD_FIELD_AT(type, member) offsetof(struct type, member)

/* Tables end with a key of NULL.  A new object, or NULL: out of memory. */
json_t *kd_manifest_fields_to_json(
	const struct kd_manifest_field *fields, const void *base);
/* 0, or a negative errno with *err, which names the field; what was read until then is to
 * be cleared. */
int kd_manifest_fields_from_json(const struct kd_manifest_field *fields,
	const json_t *json, void *base, struct kd_err *err);
void kd_manifest_fields_clear(const struct kd_manifest_field *fields, void *base);

/* One string, escaped; NULL is null. */
json_t *kd_manifest_fields_put_name(const char *name);
int kd_manifest_fields_get_name(const struct kd_manifest_field *field,
	const json_t *value, char **name, struct kd_err *err);

/* An array of structs: allocates *items (NULL when empty); *count counts those begun,
 * so that a half-read array can be cleared. */
struct kd_manifest_array {
	const struct kd_manifest_field *fields;
	size_t item;
	void **items;
	uint32_t *count;
};

int kd_manifest_fields_read_array(const json_t *json, const char *key,
	const struct kd_manifest_array *array, struct kd_err *err);

/* To a new memfd, takes json; and from a descriptor (at most 256 MiB). The descriptor, or
 * 0; else a negative errno. */
int kd_manifest_fields_to_memfd(json_t *json, const char *name);
int kd_manifest_fields_from_fd(int fd, json_t **json, struct kd_err *err);

#endif
