/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/worker/describe.h"

#include "daemon/base/name.h"
#include "daemon/worker/gate.h"
#include "daemon/worker/sandbox.h"

#include <jansson.h>
#include <stdio.h>
#include <unistd.h>

static const char *const type_names[] = {
	"", "bool", "integer", "number", "string", "path", "list", "json"};
static const char *const makes_names[] = {"", "file", "directory", "same"};
static const char *const kind_names[] = {"file", "directory", "sequence", "bundle"};
static const char *const need_names[] = {"cuda", "jit", "exec"};

static json_t *
set_to_json(uint32_t set, const char *const *names, unsigned count)
{
	json_t *list = json_array();
	for (unsigned i = 0; i < count; i++)
		if ((set & (1u << i)) != 0)
			json_array_append_new(list, json_string(names[i]));
	return list;
}

static json_t *
choices_to_json(const char *const *choices)
{
	if (choices == NULL)
		return json_null();
	json_t *list = json_array();
	for (; *choices != NULL; choices++)
		json_array_append_new(list, json_string(*choices));
	return list;
}

static json_t *
param_to_json(const struct kiln_param *param)
{
	json_t *json = json_pack("{sssssbss?ss?soss}", "name", param->name, "type",
		type_names[param->type], "required", (param->flags & KILN_REQUIRED) != 0,
		"default", param->default_text, "unit", param->unit, "choices",
		choices_to_json(param->choices), "help", param->help);
	if (param->minimum != 0 || param->maximum != 0) {
		json_object_set_new(json, "minimum", json_real(param->minimum));
		json_object_set_new(json, "maximum", json_real(param->maximum));
	}
	return json;
}

static json_t *
kernel_to_json(const struct kiln_kernel *kernel)
{
	json_t *params = json_array();
	for (size_t i = 0; kernel->params != NULL && kernel->params[i] != NULL; i++)
		json_array_append_new(params, param_to_json(kernel->params[i]));
	return json_pack("{sssssosssosbso}", "name", kernel->name, "summary",
		kernel->summary, "accepts", set_to_json(kernel->accepts, kind_names, 4),
		"makes", makes_names[kernel->makes], "needs",
		set_to_json(kernel->needs, need_names, 3), "inspect",
		kernel->inspect != NULL, "params", params);
}

/* NULL when a string of the plugin's is no UTF-8. */
static json_t *
plugin_to_json(const struct kiln_plugin *plugin)
{
	json_t *kernels = json_array();
	for (size_t i = 0; plugin->kernels[i] != NULL; i++) {
		if (json_array_append_new(kernels, kernel_to_json(plugin->kernels[i])) <
			0) {
			json_decref(kernels);
			return NULL;
		}
	}
	return json_pack("{ssssso}", "name", plugin->name, "version", plugin->version,
		"kernels", kernels);
}

static int
load(const char *path, const struct kiln_plugin **plugin, struct kd_err *err)
{
	int fd = kd_gate_open(path, err);
	if (fd < 0)
		return fd;
	struct kd_sandbox sandbox = {.plugin = fd};
	int rc = kd_sandbox_enter(&sandbox);
	if (rc < 0)
		return kd_err_errno(err, rc, "cannot confine this process");
	rc = kd_sandbox_narrow(0, -1, err);
	if (rc == 0)
		rc = kd_gate_load(fd, plugin, err);
	if (rc == 0)
		rc = kd_sandbox_close(0, err);
	return rc;
}

int
kd_describe_main(const char *path)
{
	const struct kiln_plugin *plugin;
	struct kd_err err = {0};
	if (load(path, &plugin, &err) < 0) {
		fprintf(stderr, "plugin '%s' is refused: %s\n", KD_NAME(path), err.text);
		return 1;
	}
	json_t *json = plugin_to_json(plugin);
	if (json == NULL) {
		fprintf(stderr, "plugin '%s' is refused: its texts are not UTF-8\n",
			KD_NAME(path));
		return 1;
	}
	int rc = json_dumpf(json, stdout, JSON_INDENT(2));
	json_decref(json);
	rc = rc == 0 && puts("") >= 0 && fflush(stdout) == 0 ? 0 : 1;
	/* What a plugin or a sanitizer would do at exit is not to be had in here. */
	_exit(rc);
}
