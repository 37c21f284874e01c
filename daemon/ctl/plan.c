/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A manifest has one root, so that of a run is the deepest folder that all inputs share;
 * their sub-folders do not show in OUT (layout "flat").
 */
#include "daemon/ctl/plan.h"

#include "daemon/base/file.h"
#include "daemon/base/name.h"
#include "daemon/ctl/kernels.h"
#include "plugins/kiln_plugin.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static int
refuse(struct kd_ctl_input *input, enum kd_status status, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	int length = vasprintf(&input->reason, format, args);
	va_end(args);
	input->status = status;
	if (length < 0)
		input->reason = NULL;
	return length < 0 ? -ENOMEM : 0;
}

static char *
base_of(const char *path)
{
	size_t length = strlen(path);
	while (length > 1 && path[length - 1] == '/')
		length--;
	size_t start = length;
	while (start > 0 && path[start - 1] != '/')
		start--;
	return strndup(path + start, length - start);
}

/* What the unit is, 0 when the kernel does not take it. */
static uint32_t
kind_of(const struct kd_kernel *kernel, const struct stat *st)
{
	uint32_t kind = S_ISREG(st->st_mode)   ? (uint32_t)KILN_FILE
			: S_ISDIR(st->st_mode) ? (uint32_t)KILN_DIRECTORY
					       : 0u;
	return kind & kernel->accepts;
}

static int
look_at(struct kd_ctl_input *input, const struct kd_kernel *kernel, const char *given,
	uint32_t *kind)
{
	struct stat st;
	char kinds[80];
	input->unit = -1;
	input->path = realpath(given, NULL);
	if (input->path == NULL) {
		int error = errno;
		input->path = strdup(given);
		input->name = base_of(given);
		return refuse(input, error == ENOENT ? KD_UNIT_GONE : KD_UNIT_BAD, "%s",
			strerror(error));
	}
	/* Outputs are named after what the user said, unless that is "." or a link. */
	input->name = base_of(input->path);
	if (stat(input->path, &st) < 0)
		return refuse(input, KD_UNIT_GONE, "%s", strerror(errno));
	*kind = kind_of(kernel, &st);
	if (*kind != 0)
		return 0;
	return refuse(input, KD_UNIT_BAD, "%s, but kernel '%s' takes: %s",
		S_ISDIR(st.st_mode)   ? "a directory"
		: S_ISREG(st.st_mode) ? "a file"
				      : "neither a file nor a directory",
		kernel->name, kd_ctl_kernels_kinds(kernel->accepts, kinds, sizeof kinds));
}

/* Shortens root to the deepest folder that path lies in, too. */
static void
share_root(char *root, const char *path)
{
	size_t same = 0, at = 0;
	for (;; at++) {
		int root_ends = root[at] == '\0' || root[at] == '/';
		if (root_ends && path[at] == '/')
			same = at;
		if (root[at] != path[at] || root[at] == '\0')
			break;
	}
	root[same] = '\0';
}

/* The deepest folder of all units, with its '/' at the end cut ("" is the root). */
static char *
common_root(const struct kd_ctl_plan *plan)
{
	char *root = NULL;
	for (uint32_t i = 0; i < plan->input_count; i++) {
		const struct kd_ctl_input *input = &plan->inputs[i];
		if (input->unit < 0)
			continue;
		if (root == NULL) {
			root = strdup(input->path);
			if (root == NULL)
				return NULL;
			*strrchr(root, '/') = '\0';
		}
		share_root(root, input->path);
	}
	return root != NULL ? root : strdup("");
}

static int
add_units(struct kd_ctl_plan *plan, const uint32_t *kinds)
{
	struct kd_manifest *m = &plan->manifest;
	char *root = common_root(plan);
	if (root == NULL)
		return -ENOMEM;
	size_t skip = strlen(root) + 1;
	for (uint32_t i = 0; i < plan->input_count; i++) {
		const struct kd_ctl_input *input = &plan->inputs[i];
		if (input->unit < 0)
			continue;
		struct kd_manifest_unit *unit = &m->units[input->unit];
		*unit = (struct kd_manifest_unit){.kind = kinds[i],
			.attempt = 1,
			.path = strdup(input->path + skip),
			.output = strdup("")};
		m->unit_count++;
		if (unit->path == NULL || unit->output == NULL) {
			free(root);
			return -ENOMEM;
		}
	}
	m->root = root[0] != '\0' ? root : strdup("/");
	if (root[0] == '\0')
		free(root);
	return m->root == NULL ? -ENOMEM : 0;
}

static int
is_repeated(const struct kd_ctl_plan *plan, uint32_t index)
{
	for (uint32_t i = 0; i < index; i++)
		if (plan->inputs[i].unit >= 0 &&
			strcmp(plan->inputs[i].path, plan->inputs[index].path) == 0)
			return 1;
	return 0;
}

/* A directory that the outputs fall into would change while it is read. */
static int
holds_out(const struct kd_ctl_plan *plan, const char *path)
{
	size_t length = strlen(path);
	const char *out = plan->manifest.out;
	return strncmp(out, path, length) == 0 &&
	       (out[length] == '/' || out[length] == '\0');
}

static int
take_inputs(const struct kd_ctl_wish *wish, struct kd_ctl_plan *plan, struct kd_err *err)
{
	uint32_t *kinds = calloc(wish->input_count, sizeof *kinds);
	int64_t units = 0;
	int rc = -ENOMEM;
	plan->inputs = calloc(wish->input_count, sizeof *plan->inputs);
	plan->manifest.units = calloc(wish->input_count, sizeof *plan->manifest.units);
	if (kinds == NULL || plan->inputs == NULL || plan->manifest.units == NULL)
		goto out;
	for (uint32_t i = 0; i < wish->input_count; i++) {
		struct kd_ctl_input *input = &plan->inputs[i];
		plan->input_count++;
		rc = look_at(input, wish->kernel, wish->inputs[i], &kinds[i]);
		if (rc == 0 && input->reason == NULL && is_repeated(plan, i))
			rc = refuse(input, KD_UNIT_BAD, "given twice");
		if (rc < 0 || input->name == NULL || input->path == NULL)
			goto out;
		if (kinds[i] == KILN_DIRECTORY && holds_out(plan, input->path)) {
			rc = kd_err_set(err, -EINVAL,
				"the output folder '%s' lies in the input '%s'",
				KD_NAME(plan->manifest.out), KD_NAME(input->path));
			goto out;
		}
		if (input->reason == NULL)
			input->unit = units++;
	}
	rc = add_units(plan, kinds);
out:
	free(kinds);
	return rc;
}

/* The revision tells outputs of one wish from another's, as a rule's does. */
static int
set_revision(const struct kd_ctl_wish *wish, struct kd_manifest *m)
{
	char hex[KD_HASH_HEX];
	json_t *asked = json_pack("{s:s,s:s,s:s,s:O,s:s}", "kernel", wish->kernel->name,
		"plugin", wish->kernel->plugin_name, "version", wish->kernel->version,
		"params", wish->params, "device", wish->device);
	char *text =
		asked == NULL ? NULL : json_dumps(asked, JSON_COMPACT | JSON_SORT_KEYS);
	json_decref(asked);
	if (text == NULL)
		return -ENOMEM;
	kd_hash_bytes(text, strlen(text), hex);
	free(text);
	m->revision = strdup(hex);
	return m->revision == NULL ? -ENOMEM : 0;
}

static int
set_out(const struct kd_ctl_wish *wish, struct kd_manifest *m, struct kd_err *err)
{
	int rc = kd_file_make_dirs(wish->out, 0777);
	if (rc < 0)
		return kd_err_errno(err, rc, "cannot make the output folder '%s'",
			KD_NAME(wish->out));
	m->out = realpath(wish->out, NULL);
	if (m->out == NULL)
		return kd_err_errno(err, -errno, "cannot use the output folder '%s'",
			KD_NAME(wish->out));
	return 0;
}

int
kd_ctl_plan_make(
	const struct kd_ctl_wish *wish, struct kd_ctl_plan *plan, struct kd_err *err)
{
	*plan = (struct kd_ctl_plan){
		.manifest = {
			.rule = strdup(""),
			.plugin = strdup(wish->kernel->plugin),
			.kernel = strdup(wish->kernel->name),
			.params = json_incref(wish->params),
			.device = strdup(wish->device),
			/* Whoever runs a kernel by hand grants what it asks for. */
			.needs = wish->kernel->needs,
			.threads = wish->threads,
			.repeat = wish->repeat,
			.collision = wish->collision,
			.inputs = KD_INPUTS_KEEP,
			.mode = 0644,
		}};
	struct kd_manifest *m = &plan->manifest;
	int rc = m->rule != NULL && m->plugin != NULL && m->kernel != NULL &&
				 m->device != NULL
			 ? 0
			 : -ENOMEM;
	if (rc == 0)
		rc = set_revision(wish, m);
	if (rc == 0)
		rc = set_out(wish, m, err);
	if (rc == 0)
		rc = take_inputs(wish, plan, err);
	if (rc == -ENOMEM)
		kd_err_set(err, rc, "out of memory");
	if (rc < 0)
		kd_ctl_plan_clear(plan);
	return rc;
}

void
kd_ctl_plan_clear(struct kd_ctl_plan *plan)
{
	for (uint32_t i = 0; i < plan->input_count; i++) {
		free(plan->inputs[i].name);
		free(plan->inputs[i].path);
		free(plan->inputs[i].reason);
	}
	free(plan->inputs);
	kd_manifest_clear(&plan->manifest);
	*plan = (struct kd_ctl_plan){0};
}
