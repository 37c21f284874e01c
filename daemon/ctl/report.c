/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/ctl/report.h"

#include "daemon/base/name.h"
#include "daemon/ctl/ctl.h"
#include "daemon/ctl/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The result of an input; NULL when it never was a unit. */
static const struct kd_result_unit *
result_of(const struct kd_ctl_input *input, const struct kd_result *result)
{
	return input->unit >= 0 && input->unit < (int64_t)result->unit_count
		       ? &result->units[input->unit]
		       : NULL;
}

static enum kd_status
status_of(const struct kd_ctl_input *input, const struct kd_result *result)
{
	const struct kd_result_unit *unit = result_of(input, result);
	return unit != NULL	       ? unit->status
	       : input->reason != NULL ? input->status
				       : KD_UNIT_CRASHED;
}

static const char *
reason_of(const struct kd_ctl_input *input, const struct kd_result *result)
{
	const struct kd_result_unit *unit = result_of(input, result);
	if (unit == NULL)
		return input->reason != NULL ? input->reason : result->failure;
	return unit->reason != NULL ? unit->reason : result->failure;
}

static int
is_done(enum kd_status status)
{
	return status == KD_UNIT_PUBLISHED || status == KD_UNIT_ALREADY ||
	       status == KD_UNIT_SAME || status == KD_UNIT_KEPT;
}

static json_t *
escaped(const char *bytes)
{
	char *text = bytes == NULL ? NULL : kd_name_escape(bytes);
	json_t *json = text == NULL ? json_null() : json_string(text);
	free(text);
	return json;
}

/* What a kernel said of a unit, which comes escaped (worker/told.h), and what kilnctl says
 * itself, which does not: escaped once either way.  The caller frees. */
static char *
sentence(const char *told)
{
	char *raw = kd_name_unescape(told);
	char *text = kd_name_escape(raw != NULL ? raw : told);
	free(raw);
	return text;
}

static json_t *
sentence_json(const char *told)
{
	char *text = told == NULL ? NULL : sentence(told);
	json_t *json = text == NULL ? json_null() : json_string(text);
	free(text);
	return json;
}

static json_t *
output_path(const struct kd_manifest *manifest, const struct kd_output *output)
{
	char *path = NULL;
	if (asprintf(&path, "%s/%s", manifest->out, output->path) < 0)
		return NULL;
	json_t *json = escaped(path);
	free(path);
	return json;
}

static json_t *
outputs_of(const struct kd_manifest *manifest, const struct kd_result_unit *unit)
{
	json_t *outputs = json_array();
	for (int companions = 0; unit != NULL && companions < 2; companions++)
		for (uint32_t i = 0; i < unit->output_count; i++)
			if ((unit->outputs[i].companion != 0) == companions)
				json_array_append_new(outputs,
					output_path(manifest, &unit->outputs[i]));
	return outputs;
}

static json_t *
unit_to_json(const struct kd_ctl_plan *plan, const struct kd_ctl_input *input,
	const struct kd_result *result)
{
	const struct kd_result_unit *unit = result_of(input, result);
	enum kd_status status = status_of(input, result);
	json_t *warnings = json_array();
	for (uint32_t i = 0; unit != NULL && i < unit->warning_count; i++)
		json_array_append_new(warnings, sentence_json(unit->warnings[i]));
	return json_pack("{s:o,s:o,s:s,s:o,s:o,s:o,s:s?,s:o}", "name",
		escaped(input->name), "path", escaped(input->path), "status",
		kd_manifest_status_name(status), "reason",
		is_done(status) && status != KD_UNIT_KEPT
			? json_null()
			: sentence_json(reason_of(input, result)),
		"outputs", outputs_of(&plan->manifest, unit), "sidecar",
		escaped(unit != NULL ? unit->sidecar : NULL), "sha256",
		unit != NULL && unit->sha256[0] != '\0' ? unit->sha256 : NULL, "warnings",
		warnings);
}

/* Repeats are work too: the whole run's rate counts all of it. */
static double
whole_rate(const struct kd_result *result)
{
	return result->seconds > 0 ? (double)result->frames * (double)result->repeats /
					     result->seconds
				   : 0;
}

static double
kernel_rate(const struct kd_result *result)
{
	return result->kernel_seconds > 0
		       ? (double)result->frames / result->kernel_seconds
		       : 0;
}

json_t *
kd_ctl_report_json(const struct kd_ctl_plan *plan, const struct kd_result *result)
{
	json_t *units = json_array();
	for (uint32_t i = 0; i < plan->input_count; i++)
		json_array_append_new(
			units, unit_to_json(plan, &plan->inputs[i], result));
	return json_pack("{s:s,s:s,s:s,s:f,s:o,s:I,s:f,s:f,s:f,s:o}", "kernel",
		plan->manifest.kernel, "variant",
		result->variant != NULL ? result->variant : "", "device",
		result->device != NULL ? result->device : plan->manifest.device,
		"seconds", result->seconds, "units", units, "frames",
		(json_int_t)result->frames, "frames_per_second", whole_rate(result),
		"kernel_seconds", result->kernel_seconds, "kernel_frames_per_second",
		kernel_rate(result), "failure", escaped(result->failure));
}

static void
print_unit(const struct kd_ctl_plan *plan, const struct kd_ctl_input *input,
	const struct kd_result *result)
{
	const struct kd_result_unit *unit = result_of(input, result);
	enum kd_status status = status_of(input, result);
	const char *reason = reason_of(input, result);
	if (!is_done(status)) {
		char *text = reason != NULL ? sentence(reason) : NULL;
		kd_ctl_say("%s: %s: %s", KD_NAME(input->name),
			kd_manifest_status_name(status),
			text != NULL ? text : "no reason was given");
		free(text);
	} else {
		const char *primary = unit != NULL ? unit->primary : NULL;
		uint32_t companions = 0;
		for (uint32_t i = 0; unit != NULL && i < unit->output_count; i++)
			companions += unit->outputs[i].companion != 0;
		printf("%s -> %s", KD_NAME(input->name),
			KD_NAME(primary != NULL ? primary : plan->manifest.out));
		if (companions > 0)
			printf(" and %u beside it", companions);
		puts(status == KD_UNIT_PUBLISHED ? "" : " (was there already)");
	}
	for (uint32_t i = 0; unit != NULL && i < unit->warning_count; i++) {
		char *text = sentence(unit->warnings[i]);
		kd_ctl_say("%s: warning: %s", KD_NAME(input->name),
			text != NULL ? text : "");
		free(text);
	}
}

void
kd_ctl_report_print(const struct kd_ctl_plan *plan, const struct kd_result *result)
{
	char seconds[KD_CTL_TEXT], rate[KD_CTL_TEXT], frames[KD_CTL_TEXT];
	uint32_t failures = kd_ctl_report_failures(plan, result);
	/* What is wrong with the parameters is wrong for every unit: it is said once. */
	if (result->refused && result->failure != NULL)
		kd_ctl_say("the kernel refuses its parameters: %s",
			KD_NAME(result->failure));
	for (uint32_t i = 0; i < plan->input_count && !result->refused; i++)
		print_unit(plan, &plan->inputs[i], result);
	printf("%u of %u done in %s", plan->input_count - failures, plan->input_count,
		kd_ctl_text_seconds(seconds, result->seconds));
	if (result->frames > 0)
		printf(": %s frames, %s a second",
			kd_ctl_text_count(frames, (double)result->frames),
			kd_ctl_text_count(rate, whole_rate(result)));
	if (result->kernel_seconds > 0)
		printf(" (the kernel alone: %s",
			kd_ctl_text_count(rate, kernel_rate(result))),
			printf("%s%s)",
				result->variant != NULL && result->variant[0] ? ", " : "",
				result->variant != NULL ? result->variant : "");
	putchar('\n');
}

uint32_t
kd_ctl_report_failures(const struct kd_ctl_plan *plan, const struct kd_result *result)
{
	uint32_t failures = 0;
	for (uint32_t i = 0; i < plan->input_count; i++)
		failures += !is_done(status_of(&plan->inputs[i], result));
	return failures;
}
