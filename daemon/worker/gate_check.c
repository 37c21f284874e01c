/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From the outside in: what a struct says of its own size is looked at before any field
 * that an older or a shorter one lacks.
 */
#include "daemon/worker/gate_check.h"

#include "daemon/base/name.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stddef.h>
#include <string.h>

/* Lists end with NULL; one that does not is not followed for ever. */
enum { KERNELS_MOST = 256, PARAMS_MOST = 256, CHOICES_MOST = 256 };
enum { NAME_MOST = 64, TEXT_MOST = 256, HELP_MOST = 4096 };

/* How long a struct of ABI 1.0 is, whatever later ones have grown behind that field. */
#define SIZE_UP_TO(type, field) (offsetof(type, field) + sizeof(((type *)0)->field))
#define PARAM_SIZE		SIZE_UP_TO(struct kiln_param, help)
#define KERNEL_SIZE		SIZE_UP_TO(struct kiln_kernel, inspect)
#define PLUGIN_SIZE		SIZE_UP_TO(struct kiln_plugin, kernels)

#define REBUILD "build it against this kiln's kiln_plugin.h"

static const char *const type_names[] = {
	"?", "bool", "integer", "number", "string", "path", "list", "json"};

/* Lines of a terminal, of a log and of JSON: UTF-8 without control characters. */
static int
is_clean(const char *text, size_t most)
{
	size_t length = strnlen(text, most + 1);
	if (length == 0 || length > most)
		return 0;
	for (size_t i = 0; i < length; i++)
		if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
			return 0;
	json_t *json = json_stringn(text, length);
	json_decref(json);
	return json != NULL;
}

/* Names stand in TOML, in messages, in command lines and in folders. */
static int
is_word(const char *text, const char *letters)
{
	if (text == NULL)
		return 0;
	size_t length = strnlen(text, NAME_MOST + 1);
	return length > 0 && length <= NAME_MOST && strspn(text, letters) == length;
}

static int
check_text(const char *text, size_t most, const char *what, struct kd_err *err)
{
	if (text == NULL)
		return kd_err_set(err, -EINVAL, "it has no %s; set one", what);
	if (!is_clean(text, most))
		return kd_err_set(err, -EINVAL,
			"its %s is '%s'; expected 1 to %zu bytes of UTF-8 without "
			"control "
			"characters",
			what, KD_NAME(strnlen(text, most + 1) > most ? "(longer)" : text),
			most);
	return 0;
}

/* Of a parameter: "parameter 'bones' of kernel 'vmd-fk'". */
struct place {
	const struct kiln_kernel *kernel;
	const struct kiln_param *param;
};

static int
wrong(const struct place *place, struct kd_err *err, const char *what)
{
	return kd_err_set(err, -EINVAL, "parameter '%s' (%s) of kernel '%s' %s",
		place->param->name, type_names[place->param->type], place->kernel->name,
		what);
}

static int
check_range(const struct place *place, struct kd_err *err)
{
	const struct kiln_param *param = place->param;
	if (param->minimum == 0 && param->maximum == 0)
		return 0;
	if (param->type != KILN_INTEGER && param->type != KILN_NUMBER)
		return wrong(place, err,
			"has a range; expected one of integers and numbers only: leave "
			"both bounds 0");
	if (!isfinite(param->minimum) || !isfinite(param->maximum) ||
		param->minimum > param->maximum)
		return wrong(place, err,
			"has a range that is none; expected a finite minimum that is not "
			"above a finite maximum, or 0 for both: any value");
	return 0;
}

static int
check_choices(const struct place *place, struct kd_err *err)
{
	const char *const *choices = place->param->choices;
	if (choices == NULL)
		return 0;
	if (place->param->type != KILN_STRING && place->param->type != KILN_LIST)
		return wrong(place, err,
			"has choices; expected those of strings and lists only");
	if (choices[0] == NULL)
		return wrong(place, err,
			"has an empty list of choices; name some, or none at all (NULL)");
	for (size_t i = 0; choices[i] != NULL; i++) {
		if (i == CHOICES_MOST)
			return wrong(place, err,
				"has more than 256 choices; end the list with NULL");
		if (!is_clean(choices[i], TEXT_MOST))
			return wrong(place, err,
				"has a choice that is empty, too long or no clean UTF-8");
		for (size_t k = 0; k < i; k++)
			if (strcmp(choices[k], choices[i]) == 0)
				return wrong(place, err, "has a choice twice");
	}
	return 0;
}

static int
check_param(const struct kiln_kernel *kernel, size_t index, struct kd_err *err)
{
	const struct kiln_param *param = kernel->params[index];
	const struct place place = {kernel, param};
	if (param->size < PARAM_SIZE)
		return kd_err_set(err, -EINVAL,
			"parameter %zu of kernel '%s' is %u bytes, expected at least "
			"%zu; " REBUILD,
			index, kernel->name, param->size, PARAM_SIZE);
	if (!is_word(param->name, "abcdefghijklmnopqrstuvwxyz0123456789_-"))
		return kd_err_set(err, -EINVAL,
			"parameter %zu of kernel '%s' has no name of 1 to %d characters "
			"[a-z0-9_-]; rename it",
			index, kernel->name, NAME_MOST);
	if (param->type < KILN_BOOL || param->type > KILN_JSON)
		return kd_err_set(err, -EINVAL,
			"parameter '%s' of kernel '%s' has type %u, expected one of enum "
			"kiln_type",
			param->name, kernel->name, param->type);
	if ((param->flags & ~(uint32_t)KILN_REQUIRED) != 0)
		return wrong(&place, err,
			"has flags that this kiln does not know; expected a set of enum "
			"kiln_param_flags");
	if (param->help == NULL || !is_clean(param->help, HELP_MOST))
		return wrong(&place, err,
			"has no help; say in a clean sentence what it is for");
	if (param->unit != NULL && !is_clean(param->unit, TEXT_MOST))
		return wrong(
			&place, err, "has a unit that is no clean word; NULL is none");
	if (param->default_text != NULL && !is_clean(param->default_text, HELP_MOST))
		return wrong(&place, err,
			"has a default that is no line of TOML; NULL leaves it unset");
	int rc = check_range(&place, err);
	return rc < 0 ? rc : check_choices(&place, err);
}

static int
check_params(const struct kiln_kernel *kernel, struct kd_err *err)
{
	for (size_t i = 0; kernel->params != NULL && kernel->params[i] != NULL; i++) {
		if (i == PARAMS_MOST)
			return kd_err_set(err, -EINVAL,
				"kernel '%s' has more than %d parameters; end their list "
				"with NULL",
				kernel->name, PARAMS_MOST);
		int rc = check_param(kernel, i, err);
		if (rc < 0)
			return rc;
		for (size_t k = 0; k < i; k++)
			if (strcmp(kernel->params[k]->name, kernel->params[i]->name) == 0)
				return kd_err_set(err, -EINVAL,
					"kernel '%s' has the parameter '%s' twice; "
					"rename one",
					kernel->name, kernel->params[i]->name);
	}
	return 0;
}

static int
check_kernel(const struct kiln_kernel *kernel, size_t index, struct kd_err *err)
{
	const uint32_t kinds = KILN_FILE | KILN_DIRECTORY | KILN_SEQUENCE | KILN_BUNDLE;
	const uint32_t needs = KILN_NEEDS_CUDA | KILN_NEEDS_JIT | KILN_NEEDS_EXEC;
	if (kernel->size < KERNEL_SIZE)
		return kd_err_set(err, -EINVAL,
			"kernel %zu is %u bytes, expected at least %zu; " REBUILD, index,
			kernel->size, KERNEL_SIZE);
	if (!is_word(kernel->name, "abcdefghijklmnopqrstuvwxyz0123456789-"))
		return kd_err_set(err, -EINVAL,
			"kernel %zu has no name of 1 to %d characters [a-z0-9-]; rename "
			"it",
			index, NAME_MOST);
	if (kernel->summary == NULL || !is_clean(kernel->summary, TEXT_MOST))
		return kd_err_set(err, -EINVAL,
			"kernel '%s' does not say what it is for; set a summary of 1 to "
			"%d bytes of UTF-8 without control characters",
			kernel->name, TEXT_MOST);
	if ((kernel->accepts & kinds) == 0 || (kernel->accepts & ~kinds) != 0)
		return kd_err_set(err, -EINVAL,
			"kernel '%s' accepts %#x, expected a set of enum kiln_unit_kind",
			kernel->name, kernel->accepts);
	if (kernel->makes < KILN_MAKES_FILE || kernel->makes > KILN_MAKES_SAME)
		return kd_err_set(err, -EINVAL,
			"kernel '%s' makes %u, expected one of enum kiln_product",
			kernel->name, kernel->makes);
	if ((kernel->needs & ~needs) != 0)
		return kd_err_set(err, -EINVAL,
			"kernel '%s' needs %#x, expected a set of enum kiln_needs",
			kernel->name, kernel->needs);
	if (kernel->open == NULL || kernel->process == NULL || kernel->close == NULL)
		return kd_err_set(err, -EINVAL,
			"kernel '%s' lacks open, process or close; all three are "
			"required",
			kernel->name);
	return check_params(kernel, err);
}

static int
check_kernels(const struct kiln_plugin *plugin, struct kd_err *err)
{
	if (plugin->kernels == NULL || plugin->kernels[0] == NULL)
		return kd_err_set(err, -EINVAL, "it has no kernel; name one at least");
	for (size_t i = 0; plugin->kernels[i] != NULL; i++) {
		if (i == KERNELS_MOST)
			return kd_err_set(err, -EINVAL,
				"it has more than %d kernels; end their list with NULL",
				KERNELS_MOST);
		int rc = check_kernel(plugin->kernels[i], i, err);
		if (rc < 0)
			return rc;
		for (size_t k = 0; k < i; k++)
			if (strcmp(plugin->kernels[k]->name, plugin->kernels[i]->name) ==
				0)
				return kd_err_set(err, -EINVAL,
					"it has the kernel '%s' twice; rename one",
					plugin->kernels[i]->name);
	}
	return 0;
}

int
kd_gate_check(const struct kiln_plugin *plugin, struct kd_err *err)
{
	if (plugin->magic != KILN_MAGIC)
		return kd_err_set(err, -EINVAL,
			"its magic number is %08x, expected %08x: it is no plugin of "
			"kiln, or one of another byte order",
			plugin->magic, KILN_MAGIC);
	if (plugin->abi_major != KILN_ABI_MAJOR || plugin->abi_minor > KILN_ABI_MINOR)
		return kd_err_set(err, -EINVAL,
			"it was made for ABI %u.%u; this kiln offers %d.%d: " REBUILD,
			plugin->abi_major, plugin->abi_minor, KILN_ABI_MAJOR,
			KILN_ABI_MINOR);
	if (plugin->size < PLUGIN_SIZE)
		return kd_err_set(err, -EINVAL,
			"its descriptor is %u bytes, expected at least %zu; " REBUILD,
			plugin->size, PLUGIN_SIZE);
	int rc = check_text(plugin->name, TEXT_MOST, "name", err);
	if (rc == 0)
		rc = check_text(plugin->version, TEXT_MOST, "version", err);
	return rc < 0 ? rc : check_kernels(plugin, err);
}
