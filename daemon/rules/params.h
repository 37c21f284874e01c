/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * params.h - parameters against a kernel's schema.
 */
#ifndef KD_PARAMS_H
#define KD_PARAMS_H

#include "daemon/base/err.h"
#include "daemon/rules/catalog.h"

#include <jansson.h>

/* Called for a parameter that is wrong, with the sentence; name NULL: about all of them.
 * Lets the TOML side put file, line and column before it. */
typedef int kd_params_place_fn(void *context, const char *name, struct kd_err *err);

/*
 * Checks `given` (an object of name -> value as TOML or a -p argument gave it) against
 * the schema: unknown names (with the nearest known one), types, ranges, choices,
 * missing required ones.  Relative paths are taken relative to `base` and made absolute;
 * that they exist is checked where `exists`.  *full becomes an object with every
 * parameter of the schema, defaults filled in, null for unset.  The caller decrefs it.
 */
struct kd_params_input {
	const struct kd_kernel *kernel;
	const json_t *given;
	const char *base;
	int exists;
	kd_params_place_fn *place; /* may be NULL */
	void *context;
};
int kd_params_check(
	const struct kd_params_input *input, json_t **full, struct kd_err *err);

/* Whether a parameter's default is a value that the parameter could be given. */
int kd_params_check_default(const struct kd_param_schema *param, struct kd_err *err);

/* Parses "key=value" of a command line; value as in TOML, and what is no TOML value is a
 * string ("model=M.pmx", "bones=core", "ik=false").  Adds to `given`. */
int kd_params_parse_argument(const char *argument, json_t *given, struct kd_err *err);

#endif
