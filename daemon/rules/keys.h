/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * keys.h - the keys of a TOML table as data: each with its name, its reader, where its
 * value goes and what range it may have.  Unknown keys are refused with the nearest
 * known one.  Every error begins FILE:LINE:COLUMN and names the key.
 */
#ifndef KD_KEYS_H
#define KD_KEYS_H

#include "daemon/base/err.h"
#include "daemon/rules/toml.h"

#include <stddef.h>
#include <stdint.h>

/* Whose keys are read: for messages. */
struct kd_keys {
	const char *file;
	struct kd_err *err;
};

struct kd_choice {
	const char *name; /* NULL ends a list of choices */
	uint32_t value;
};

/* A reader takes `value` into `field` (object + offset), or refuses it with -EINVAL and
 * leaves field as it was. */
struct kd_key;
typedef int kd_key_fn(const struct kd_keys *at, const struct kd_key *key,
	const struct kd_toml *value, void *field);

struct kd_key {
	const char *name; /* NULL ends a table of keys */
	kd_key_fn *read;
	size_t offset;
	double least, most;		 /* numbers, durations (s), sizes (bytes) */
	const struct kd_choice *choices; /* kd_key_choice */
	const struct kd_key *below;	 /* kd_key_table */
};

/* Reads every child of `table` into object. */
int kd_keys_read(const struct kd_keys *at, const struct kd_key *keys,
	const struct kd_toml *table, void *object);

/* Where keys stand that are met in the wrong table: "[daemon]".  keys NULL ends a list. */
struct kd_keys_home {
	const struct kd_key *keys;
	const char *home;
};
/* Refuses a key of the table that is none of its own, but one of another home's, with where
 * it belongs.  Other unknown keys are left to kd_keys_read(). */
int kd_keys_at_home(const struct kd_keys *at, const struct kd_key *own,
	const struct kd_toml *table, const struct kd_keys_home *homes);

/* -EINVAL with FILE:LINE:COLUMN of the value (of a table: its key), or of the key, before
 * the sentence. */
int kd_keys_refuse(const struct kd_keys *at, const struct kd_toml *value,
	const char *format, ...) __attribute__((format(printf, 3, 4)));
int kd_keys_refuse_key(const struct kd_keys *at, const struct kd_toml *value,
	const char *format, ...) __attribute__((format(printf, 3, 4)));
int kd_keys_memory(const struct kd_keys *at);

/* Puts a copy of text into the place of *field, which is freed. */
int kd_keys_replace(const struct kd_keys *at, char **field, const char *text);

/* The common readers; in brackets the type of the field. */
kd_key_fn kd_key_any;	   /* nothing is stored: checked by whoever fetches it */
kd_key_fn kd_key_text;	   /* [char *] not empty */
kd_key_fn kd_key_texts;	   /* [char **] NULL-ended; one string is a list of one */
kd_key_fn kd_key_folder;   /* [char *] absolute, without "..", "." and needless '/' */
kd_key_fn kd_key_folders;  /* [char **] ditto */
kd_key_fn kd_key_bool;	   /* [int] */
kd_key_fn kd_key_integer;  /* [int64_t] least..most */
kd_key_fn kd_key_u32;	   /* [uint32_t] least..most */
kd_key_fn kd_key_i32;	   /* [int32_t] least..most */
kd_key_fn kd_key_duration; /* [double] "500ms", "2s", "10min", "1h", "1d"; least..most */
kd_key_fn kd_key_size;	   /* [uint64_t] "4GiB", "20GB", "512B"; "none" is 0 */
kd_key_fn kd_key_choice;   /* [uint32_t] one of choices */
kd_key_fn kd_key_table;	   /* an object of its own keys, `below` */

/* Seconds of "10min"; -EINVAL when it is no duration. */
int kd_keys_duration(const char *text, double *seconds);

/* The folder in its plain form, allocated; NULL with errno EINVAL when it is not
 * absolute, has a ".." component or is "/" itself. */
char *kd_keys_plain_folder(const char *text);

void kd_keys_free_texts(char **texts); /* NULL is fine */

#endif
