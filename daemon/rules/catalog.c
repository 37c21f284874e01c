/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * catalog.c - descriptions of plugins into structs.  The JSON was printed by our own
 * worker but holds what a plugin said of itself: every field is checked, and what does
 * not pass refuses that plugin alone.
 */
#include "daemon/rules/catalog.h"

#include "daemon/base/name.h"
#include "daemon/rules/describe.h"
#include "daemon/rules/params.h"
#include "plugins/kiln_plugin.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Far above any plugin; keeps a mad description from filling memory. */
#define MOST_KERNELS 256
#define MOST_PARAMS  256

struct word {
	const char *name;
	uint32_t value;
};

static const struct word kinds[] = {{"file", KILN_FILE}, {"directory", KILN_DIRECTORY},
	{"sequence", KILN_SEQUENCE}, {"bundle", KILN_BUNDLE}, {NULL, 0}};
static const struct word products[] = {{"file", KILN_MAKES_FILE},
	{"directory", KILN_MAKES_DIRECTORY}, {"same", KILN_MAKES_SAME}, {NULL, 0}};
static const struct word need_words[] = {{"cuda", KILN_NEEDS_CUDA},
	{"jit", KILN_NEEDS_JIT}, {"exec", KILN_NEEDS_EXEC}, {NULL, 0}};
static const struct word types[] = {{"bool", KILN_BOOL}, {"integer", KILN_INTEGER},
	{"number", KILN_NUMBER}, {"string", KILN_STRING}, {"path", KILN_PATH},
	{"list", KILN_LIST}, {"json", KILN_JSON}, {NULL, 0}};

/* Of *value among words; 0 when it is none of them. */
static uint32_t
word_value(const json_t *value, const struct word *words)
{
	for (; json_is_string(value) && words->name != NULL; words++)
		if (strcmp(words->name, json_string_value(value)) == 0)
			return words->value;
	return 0;
}

/* A list of words as a set; -EINVAL when anything else is in it. */
static int
word_set(const json_t *list, const struct word *words, uint32_t *set)
{
	uint32_t made = 0;
	if (!json_is_array(list))
		return -EINVAL;
	for (size_t i = 0; i < json_array_size(list); i++) {
		uint32_t one = word_value(json_array_get(list, i), words);
		if (one == 0)
			return -EINVAL;
		made |= one;
	}
	*set = made;
	return 0;
}

/* Names go into messages, TOML keys and folders: lower case, digits, and `extra`. */
static int
is_name(const char *name, const char *extra)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789";
	size_t length = strlen(name);
	if (length == 0 || length > 64)
		return 0;
	for (; *name != '\0'; name++)
		if (strchr(letters, *name) == NULL && strchr(extra, *name) == NULL)
			return 0;
	return 1;
}

/* A string of the object, allocated.  optional: null and absence leave NULL. */
static int
take_text(const json_t *object, const char *key, int optional, char **text,
	struct kd_err *err)
{
	const json_t *value = json_object_get(object, key);
	if (optional && (value == NULL || json_is_null(value)))
		return 0;
	if (!json_is_string(value))
		return kd_err_set(err, -EINVAL, "expected a string as \"%s\"", key);
	*text = strdup(json_string_value(value));
	return *text != NULL ? 0 : kd_err_set(err, -ENOMEM, "out of memory");
}

static int
take_flag(const json_t *object, const char *key, int *flag, struct kd_err *err)
{
	const json_t *value = json_object_get(object, key);
	if (!json_is_boolean(value))
		return kd_err_set(err, -EINVAL, "expected true or false as \"%s\"", key);
	*flag = json_is_true(value);
	return 0;
}

static int
take_range(const json_t *object, struct kd_param_schema *param, struct kd_err *err)
{
	const json_t *minimum = json_object_get(object, "minimum");
	const json_t *maximum = json_object_get(object, "maximum");
	if (minimum == NULL && maximum == NULL)
		return 0;
	param->minimum = json_number_value(minimum);
	param->maximum = json_number_value(maximum);
	if (!json_is_number(minimum) || !json_is_number(maximum) ||
		param->minimum > param->maximum)
		return kd_err_set(err, -EINVAL,
			"expected \"minimum\" not above \"maximum\" of \"%s\"",
			param->name);
	param->has_range = 1;
	return 0;
}

static int
take_choices(const json_t *object, struct kd_param_schema *param, struct kd_err *err)
{
	const json_t *list = json_object_get(object, "choices");
	if (list == NULL || json_is_null(list))
		return 0;
	if (!json_is_array(list) || json_array_size(list) == 0)
		return kd_err_set(err, -EINVAL,
			"expected a list as \"choices\" of \"%s\"", param->name);
	param->choices = calloc(json_array_size(list) + 1, sizeof *param->choices);
	if (param->choices == NULL)
		return kd_err_set(err, -ENOMEM, "out of memory");
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *text = json_string_value(json_array_get(list, i));
		if (text == NULL)
			return kd_err_set(err, -EINVAL,
				"expected strings as \"choices\" of \"%s\"", param->name);
		if ((param->choices[i] = strdup(text)) == NULL)
			return kd_err_set(err, -ENOMEM, "out of memory");
	}
	return 0;
}

static int
take_param(const json_t *object, struct kd_param_schema *param, struct kd_err *err)
{
	int code;
	if ((code = take_text(object, "name", 0, &param->name, err)) != 0)
		return code;
	if (!is_name(param->name, "_-"))
		return kd_err_set(err, -EINVAL,
			"expected a parameter's name of [a-z0-9_-], found \"%s\"",
			KD_NAME(param->name));
	param->type = word_value(json_object_get(object, "type"), types);
	if (param->type == 0)
		return kd_err_set(
			err, -EINVAL, "expected a known \"type\" of \"%s\"", param->name);
	if ((code = take_flag(object, "required", &param->required, err)) != 0 ||
		(code = take_text(object, "default", 1, &param->default_text, err)) !=
			0 ||
		(code = take_text(object, "unit", 1, &param->unit, err)) != 0 ||
		(code = take_text(object, "help", 1, &param->help, err)) != 0 ||
		(code = take_range(object, param, err)) != 0)
		return code;
	code = take_choices(object, param, err);
	return code != 0 ? code : kd_params_check_default(param, err);
}

static int
take_params(const json_t *list, struct kd_kernel *kernel, struct kd_err *err)
{
	if (!json_is_array(list) || json_array_size(list) > MOST_PARAMS)
		return kd_err_set(err, -EINVAL,
			"expected a list of at most %d parameters as \"params\"",
			MOST_PARAMS);
	kernel->params = calloc(json_array_size(list) + 1, sizeof *kernel->params);
	if (kernel->params == NULL)
		return kd_err_set(err, -ENOMEM, "out of memory");
	for (size_t i = 0; i < json_array_size(list); i++) {
		struct kd_param_schema *param = &kernel->params[kernel->param_count++];
		int code = take_param(json_array_get(list, i), param, err);
		if (code != 0)
			return code;
		for (uint32_t j = 0; j + 1 < kernel->param_count; j++)
			if (strcmp(kernel->params[j].name, param->name) == 0)
				return kd_err_set(err, -EINVAL,
					"expected each parameter once, found \"%s\" "
					"twice",
					param->name);
	}
	return 0;
}

static int
take_kernel(const json_t *object, struct kd_kernel *kernel, struct kd_err *err)
{
	int code;
	if ((code = take_text(object, "name", 0, &kernel->name, err)) != 0 ||
		(code = take_text(object, "summary", 0, &kernel->summary, err)) != 0 ||
		(code = take_flag(object, "inspect", &kernel->inspects, err)) != 0)
		return code;
	if (!is_name(kernel->name, "-"))
		return kd_err_set(err, -EINVAL,
			"expected a kernel's name of [a-z0-9-], found \"%s\"",
			KD_NAME(kernel->name));
	if (word_set(json_object_get(object, "accepts"), kinds, &kernel->accepts) != 0 ||
		kernel->accepts == 0)
		return kd_err_set(err, -EINVAL, "expected kinds of units as \"accepts\"");
	kernel->makes = word_value(json_object_get(object, "makes"), products);
	if (kernel->makes == 0)
		return kd_err_set(
			err, -EINVAL, "expected a kind of product as \"makes\"");
	if (word_set(json_object_get(object, "needs"), need_words, &kernel->needs) != 0)
		return kd_err_set(err, -EINVAL, "expected a list of needs as \"needs\"");
	return take_params(json_object_get(object, "params"), kernel, err);
}

static void
free_kernel(struct kd_kernel *kernel)
{
	if (kernel == NULL)
		return;
	for (uint32_t i = 0; i < kernel->param_count; i++) {
		struct kd_param_schema *param = &kernel->params[i];
		for (char **choice = param->choices; choice != NULL && *choice != NULL;
			choice++)
			free(*choice);
		free(param->choices);
		free(param->default_text);
		free(param->unit);
		free(param->help);
		free(param->name);
	}
	free(kernel->params);
	free(kernel->plugin_name);
	free(kernel->version);
	free(kernel->plugin);
	free(kernel->summary);
	free(kernel->name);
	free(kernel);
}

void
kd_catalog_free(struct kd_catalog *catalog)
{
	if (catalog == NULL)
		return;
	for (uint32_t i = 0; i < catalog->kernel_count; i++)
		free_kernel(catalog->kernels[i]);
	for (uint32_t i = 0; i < catalog->refused_count; i++) {
		free(catalog->refused[i].path);
		free(catalog->refused[i].reason);
	}
	free(catalog->kernels);
	free(catalog->refused);
	free(catalog);
}

static int
refuse(struct kd_catalog *catalog, const char *path, const char *reason)
{
	struct kd_catalog_refusal *more = realloc(catalog->refused,
		(catalog->refused_count + 1) * sizeof *catalog->refused);
	if (more == NULL)
		return -ENOMEM;
	catalog->refused = more;
	more[catalog->refused_count] =
		(struct kd_catalog_refusal){strdup(path), strdup(reason)};
	struct kd_catalog_refusal *made = &more[catalog->refused_count++];
	return made->path != NULL && made->reason != NULL ? 0 : -ENOMEM;
}

/* All kernels of one description, appended behind those that are there. */
static int
take_kernels(struct kd_catalog *catalog, const char *path, const json_t *json,
	struct kd_err *err)
{
	const json_t *list = json_object_get(json, "kernels");
	size_t count = json_array_size(list);
	int code = 0;
	if (count == 0 || count > MOST_KERNELS)
		return kd_err_set(
			err, -EINVAL, "expected a list of 1 to %d kernels", MOST_KERNELS);
	struct kd_kernel **more = realloc(catalog->kernels,
		(catalog->kernel_count + count) * sizeof *catalog->kernels);
	if (more == NULL)
		return kd_err_set(err, -ENOMEM, "out of memory");
	catalog->kernels = more;
	for (size_t i = 0; code == 0 && i < count; i++) {
		struct kd_kernel *kernel = calloc(1, sizeof *kernel);
		if (kernel == NULL || (kernel->plugin = strdup(path)) == NULL) {
			free_kernel(kernel);
			return kd_err_set(err, -ENOMEM, "out of memory");
		}
		if ((code = take_text(json, "name", 0, &kernel->plugin_name, err)) == 0 &&
			(code = take_text(json, "version", 0, &kernel->version, err)) ==
				0 &&
			(code = take_kernel(json_array_get(list, i), kernel, err)) == 0 &&
			kd_catalog_find(catalog, kernel->name) != NULL)
			code = kd_err_set(err, -EEXIST,
				"kernel \"%s\" is already offered by %s", kernel->name,
				kd_catalog_find(catalog, kernel->name)->plugin);
		catalog->kernels[catalog->kernel_count++] = kernel;
	}
	return code;
}

/* One plugin: its kernels all count, or none and the reason. */
static int
add_plugin(struct kd_catalog *catalog, const char *worker, const char *path)
{
	struct kd_describe describe = {worker, path, KD_DESCRIBE_SECONDS};
	struct kd_err reason;
	uint32_t before = catalog->kernel_count;
	json_t *json = NULL;
	int code = kd_describe_run(&describe, &json, &reason);
	if (code == 0)
		code = take_kernels(catalog, path, json, &reason);
	json_decref(json);
	if (code == 0)
		return 0;
	while (catalog->kernel_count > before)
		free_kernel(catalog->kernels[--catalog->kernel_count]);
	return code == -ENOMEM ? code : refuse(catalog, path, reason.text);
}

static int
is_plugin(const struct dirent *entry)
{
	size_t length = strlen(entry->d_name);
	return entry->d_name[0] != '.' && length > 3 &&
	       strcmp(entry->d_name + length - 3, ".so") == 0;
}

static int
by_bytes(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int
add_folder(struct kd_catalog *catalog, const char *worker, const char *folder,
	struct kd_err *err)
{
	struct dirent **entries;
	int count = scandir(folder, &entries, is_plugin, by_bytes), code = 0;
	if (count < 0)
		return kd_err_errno(err, -errno, "cannot read the plugin folder \"%s\"",
			KD_NAME(folder));
	for (int i = 0; i < count; i++) {
		char *path = NULL;
		if (code == 0 &&
			asprintf(&path, "%s/%s", folder, entries[i]->d_name) < 0) {
			path = NULL;
			code = -ENOMEM;
		}
		if (code == 0)
			code = add_plugin(catalog, worker, path);
		free(path);
		free(entries[i]);
	}
	free(entries);
	return code == 0 ? 0 : kd_err_set(err, code, "out of memory");
}

static int
by_name(const void *a, const void *b)
{
	return strcmp((*(struct kd_kernel *const *)a)->name,
		(*(struct kd_kernel *const *)b)->name);
}

/* A worker that cannot be started says nothing about any plugin. */
static int
begin(const char *worker, struct kd_catalog **made, struct kd_err *err)
{
	if (access(worker, X_OK) != 0)
		return kd_err_errno(
			err, -errno, "cannot run kiln-worker at \"%s\"", KD_NAME(worker));
	*made = calloc(1, sizeof **made);
	return *made != NULL ? 0 : kd_err_set(err, -ENOMEM, "out of memory");
}

int
kd_catalog_load(const char *worker, char *const *folders, struct kd_catalog **catalog,
	struct kd_err *err)
{
	struct kd_catalog *made = NULL;
	int code = begin(worker, &made, err);
	for (; code == 0 && *folders != NULL; folders++)
		code = add_folder(made, worker, *folders, err);
	if (code != 0) {
		kd_catalog_free(made);
		return code;
	}
	if (made->kernel_count > 0)
		qsort(made->kernels, made->kernel_count, sizeof *made->kernels, by_name);
	*catalog = made;
	return 0;
}

int
kd_catalog_load_for(const char *kernel, const char *worker, char *const *folders,
	struct kd_catalog **catalog, struct kd_err *err)
{
	struct kd_catalog *made = NULL;
	int code = is_name(kernel, "-") ? begin(worker, &made, err) : 0;
	for (uint32_t i = 0; code == 0 && made != NULL && folders[i] != NULL; i++) {
		char *path = NULL;
		if (asprintf(&path, "%s/%s.so", folders[i], kernel) < 0)
			path = NULL;
		if (path != NULL && access(path, F_OK) == 0)
			code = add_plugin(made, worker, path);
		free(path);
		if (code == 0 && kd_catalog_find(made, kernel) != NULL) {
			*catalog = made;
			return 0;
		}
	}
	kd_catalog_free(made);
	return kd_catalog_load(worker, folders, catalog, err);
}

const struct kd_kernel *
kd_catalog_find(const struct kd_catalog *catalog, const char *kernel)
{
	for (uint32_t i = 0; i < catalog->kernel_count; i++)
		if (strcmp(catalog->kernels[i]->name, kernel) == 0)
			return catalog->kernels[i];
	return NULL;
}
