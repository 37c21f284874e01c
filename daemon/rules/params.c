/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/rules/params.h"

#include "daemon/base/name.h"
#include "daemon/rules/near.h"
#include "daemon/rules/toml.h"
#include "plugins/kiln_plugin.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* "12", "\"core\"", cut where it is long: what was found. */
static const char *
found(const json_t *value, char *buffer, size_t size)
{
	char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
	snprintf(buffer, size, "%.150s", text != NULL ? text : "something");
	free(text);
	return buffer;
}
#define FOUND(value) found((value), (char[160]){0}, 160)

static int
expect(const struct kd_param_schema *param, const json_t *value, struct kd_err *err,
	const char *format, ...)
{
	char expected[600];
	va_list args;
	va_start(args, format);
	vsnprintf(expected, sizeof expected, format, args);
	va_end(args);
	return kd_err_set(err, -EINVAL, "parameter %s: expected %s, found %s",
		param->name, expected, FOUND(value));
}

static int
check_number(const struct kd_param_schema *param, json_t *value, json_t **checked,
	struct kd_err *err)
{
	int is_integer = param->type == KILN_INTEGER;
	const char *what = is_integer ? "an integer" : "a number";
	const char *unit = param->unit != NULL ? param->unit : "";
	if (is_integer ? !json_is_integer(value) : !json_is_number(value))
		return expect(param, value, err, "%s", what);
	double number = json_number_value(value);
	if (param->has_range && !(number >= param->minimum && number <= param->maximum))
		return expect(param, value, err, "%s from %g to %g%s%s", what,
			param->minimum, param->maximum, *unit != '\0' ? " " : "", unit);
	/* 1 and 1.0 ask for the same and must make the same revision. */
	*checked = is_integer ? json_incref(value) : json_real(number);
	return 0;
}

static int
check_choice(const struct kd_param_schema *param, json_t *value, struct kd_err *err)
{
	struct kd_near near = {.wanted = json_string_value(value)};
	char list[400] = "";
	for (char **choice = param->choices; choice != NULL && *choice != NULL;
		choice++) {
		if (strcmp(*choice, near.wanted) == 0)
			return 0;
		kd_near_offer(&near, *choice);
		size_t used = strlen(list);
		snprintf(list + used, sizeof list - used, "%s\"%s\"",
			used > 0 ? ", " : "", *choice);
	}
	if (param->choices == NULL)
		return 0;
	return kd_err_set(err, -EINVAL, "parameter %s: expected one of %s, found %s%s",
		param->name, list, FOUND(value), KD_NEAR_HINT(&near));
}

static int
check_string(const struct kd_param_schema *param, json_t *value, json_t **checked,
	struct kd_err *err)
{
	if (!json_is_string(value))
		return expect(param, value, err, "a string");
	int code = check_choice(param, value, err);
	if (code == 0)
		*checked = json_incref(value);
	return code;
}

static int
check_list(const struct kd_param_schema *param, json_t *value, json_t **checked,
	struct kd_err *err)
{
	if (!json_is_string(value) && !json_is_array(value))
		return expect(param, value, err, "a list of strings or one string");
	json_t *list = json_array(), *one;
	size_t i, count = json_is_array(value) ? json_array_size(value) : 1;
	int code = 0;
	for (i = 0; code == 0 && i < count; i++) {
		one = json_is_array(value) ? json_array_get(value, i) : value;
		if (!json_is_string(one))
			code = expect(param, one, err, "strings in the list");
		else if ((code = check_choice(param, one, err)) == 0)
			json_array_append(list, one);
	}
	if (code == 0)
		*checked = list;
	else
		json_decref(list);
	return code;
}

/* base and path in one, without "." components and doubled slashes.  ".." stays: what it
 * leads to is known to the file system only. */
static char *
absolute(const char *base, const char *path)
{
	size_t size = strlen(base) + strlen(path) + 3;
	char *joined = malloc(size), *clean = malloc(size), *out = clean;
	if (joined == NULL || clean == NULL) {
		free(joined);
		free(clean);
		return NULL;
	}
	snprintf(joined, size, "%s/%s", path[0] == '/' ? "" : base, path);
	for (const char *part = joined; *part != '\0';) {
		part += strspn(part, "/");
		size_t length = strcspn(part, "/");
		if (length > 0 && !(length == 1 && part[0] == '.')) {
			*out++ = '/';
			memcpy(out, part, length);
			out += length;
		}
		part += length;
	}
	if (out == clean)
		*out++ = '/';
	*out = '\0';
	free(joined);
	return clean;
}

static int
check_path(const struct kd_params_input *input, const struct kd_param_schema *param,
	json_t *value, json_t **checked, struct kd_err *err)
{
	if (!json_is_string(value) || json_string_length(value) == 0)
		return expect(param, value, err, "a path");
	char *path = absolute(input->base, json_string_value(value));
	int code = 0;
	if (path == NULL || (*checked = json_string(path)) == NULL) {
		code = kd_err_set(
			err, -ENOMEM, "parameter %s: out of memory", param->name);
	} else if (input->exists && access(path, R_OK) != 0) {
		code = kd_err_errno(err, -errno,
			"parameter %s: expected a path that kiln can read, found \"%s\"",
			param->name, KD_NAME(path));
		json_decref(*checked);
		*checked = NULL;
	}
	free(path);
	return code;
}

static int
check_value(const struct kd_params_input *input, const struct kd_param_schema *param,
	json_t *value, json_t **checked, struct kd_err *err)
{
	switch (param->type) {
	case KILN_BOOL:
		if (!json_is_boolean(value))
			return expect(param, value, err, "true or false");
		break;
	case KILN_INTEGER:
	case KILN_NUMBER:
		return check_number(param, value, checked, err);
	case KILN_STRING:
		return check_string(param, value, checked, err);
	case KILN_PATH:
		return check_path(input, param, value, checked, err);
	case KILN_LIST:
		return check_list(param, value, checked, err);
	default: /* KILN_JSON: the kernel knows its shape */
		break;
	}
	*checked = json_incref(value);
	return 0;
}

/* A TOML value on its own; NULL when text is none. */
static json_t *
toml_value(const char *text, struct kd_err *err)
{
	size_t size = strlen(text) + sizeof "value = ";
	char *document = malloc(size);
	struct kd_toml *root = NULL;
	json_t *value = NULL;
	if (document == NULL)
		return NULL;
	snprintf(document, size, "value = %s", text);
	/* More than one key: the text went on to a second line of its own making. */
	if (kd_toml_parse(document, size - 1, "value", &root, err) == 0 &&
		root->count == 1 && strcmp(root->children[0]->key, "value") == 0)
		value = kd_toml_json(root->children[0]);
	kd_toml_free(root);
	free(document);
	return value;
}

int
kd_params_check_default(const struct kd_param_schema *param, struct kd_err *err)
{
	const struct kd_params_input input = {.base = "/"};
	json_t *checked = NULL, *value = NULL;
	if (param->default_text == NULL)
		return 0;
	if ((value = toml_value(param->default_text, NULL)) == NULL)
		return kd_err_set(err, -EINVAL,
			"parameter %s: expected a TOML value as its default, found %s",
			param->name, KD_NAME(param->default_text));
	int code = check_value(&input, param, value, &checked, err);
	json_decref(checked);
	json_decref(value);
	return code;
}

/* What holds where nothing is given: the schema's default, or null. */
static int
default_value(const struct kd_params_input *input, const struct kd_param_schema *param,
	json_t **checked, struct kd_err *err)
{
	if (param->required)
		return kd_err_set(err, -EINVAL,
			"kernel \"%s\" requires the parameter \"%s\": %s",
			input->kernel->name, param->name,
			param->help != NULL ? param->help : "(no help)");
	if (param->default_text == NULL) {
		*checked = json_null();
		return 0;
	}
	json_t *value = toml_value(param->default_text, NULL);
	if (value == NULL)
		return kd_err_set(err, -EINVAL,
			"parameter %s: the kernel's own default is no TOML value: %s",
			param->name, param->default_text);
	struct kd_params_input own = *input;
	own.exists = 0;
	int code = check_value(&own, param, value, checked, err);
	json_decref(value);
	return code;
}

static int
check_unknown(
	const struct kd_params_input *input, const char **culprit, struct kd_err *err)
{
	const struct kd_kernel *kernel = input->kernel;
	const char *name;
	json_t *value;
	json_object_foreach((json_t *)input->given, name, value)
	{
		struct kd_near near = {.wanted = name};
		uint32_t i = 0;
		while (i < kernel->param_count &&
			strcmp(kernel->params[i].name, name) != 0)
			kd_near_offer(&near, kernel->params[i++].name);
		if (i < kernel->param_count)
			continue;
		*culprit = name;
		return kd_err_set(err, -EINVAL,
			"expected a parameter of kernel \"%s\", found \"%s\"%s",
			kernel->name, KD_NAME(name), KD_NEAR_HINT(&near));
	}
	return 0;
}

int
kd_params_check(const struct kd_params_input *input, json_t **full, struct kd_err *err)
{
	struct kd_err local;
	const struct kd_kernel *kernel = input->kernel;
	const char *culprit = NULL;
	json_t *all = json_object();
	if (err == NULL)
		err = &local;
	if (all == NULL)
		return kd_err_set(err, -ENOMEM, "out of memory");
	int code = check_unknown(input, &culprit, err);
	for (uint32_t i = 0; code == 0 && i < kernel->param_count; i++) {
		const struct kd_param_schema *param = &kernel->params[i];
		json_t *value = json_object_get(input->given, param->name),
		       *checked = NULL;
		culprit = param->name;
		code = value != NULL ? check_value(input, param, value, &checked, err)
				     : default_value(input, param, &checked, err);
		if (code == 0 && json_object_set_new(all, param->name, checked) != 0)
			code = kd_err_set(err, -ENOMEM, "out of memory");
	}
	if (code == 0) {
		*full = all;
		return 0;
	}
	json_decref(all);
	return input->place != NULL ? input->place(input->context, culprit, err) : code;
}

int
kd_params_parse_argument(const char *argument, json_t *given, struct kd_err *err)
{
	const char *equals = strchr(argument, '=');
	if (equals == NULL || equals == argument)
		return kd_err_set(err, -EINVAL, "expected NAME=VALUE, found \"%s\"",
			KD_NAME(argument));
	json_t *value = toml_value(equals + 1, NULL);
	if (value == NULL)
		value = json_string(equals + 1);
	char *name = strndup(argument, (size_t)(equals - argument));
	int code = 0;
	if (value == NULL || name == NULL)
		code = kd_err_set(err, -EILSEQ,
			"expected NAME=VALUE in UTF-8, found \"%s\"", KD_NAME(argument));
	else if (json_object_get(given, name) != NULL)
		code = kd_err_set(err, -EINVAL, "parameter %s is given twice", name);
	else if (json_object_set(given, name, value) != 0)
		code = kd_err_set(err, -EILSEQ,
			"expected NAME=VALUE in UTF-8, found \"%s\"", KD_NAME(argument));
	json_decref(value);
	free(name);
	return code;
}
