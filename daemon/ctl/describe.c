/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A kernel as a page: what it is, its parameters and, with parameters given, what it has
 * to tell about them (a model's bones).
 */
#include "daemon/ctl/ask.h"
#include "daemon/ctl/facts.h"
#include "daemon/ctl/kernels.h"
#include "daemon/ctl/text.h"

#include "daemon/rules/params.h"
#include "daemon/work/session.h"
#include "plugins/kiln_plugin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static json_t *
param_to_json(const struct kd_param_schema *param)
{
	json_t *choices = param->choices == NULL ? json_null() : json_array();
	for (char **choice = param->choices; choice != NULL && *choice != NULL; choice++)
		json_array_append_new(choices, json_string(*choice));
	json_t *json = json_pack("{s:s,s:s,s:b,s:s?,s:s?,s:o,s:s?}", "name", param->name,
		"type", kd_ctl_kernels_type(param->type), "required", param->required,
		"default", param->default_text, "unit", param->unit, "choices", choices,
		"help", param->help);
	if (param->has_range) {
		json_object_set_new(json, "minimum", json_real(param->minimum));
		json_object_set_new(json, "maximum", json_real(param->maximum));
	}
	return json;
}

static json_t *
kernel_to_json(const struct kd_kernel *kernel, json_t *facts)
{
	char kinds[80], needs[40];
	json_t *params = json_array();
	for (uint32_t i = 0; i < kernel->param_count; i++)
		json_array_append_new(params, param_to_json(&kernel->params[i]));
	json_t *json = json_pack("{s:s,s:s,s:s,s:s,s:s,s:o,s:s,s:o,s:b,s:o}", "name",
		kernel->name, "summary", kernel->summary, "plugin", kernel->plugin,
		"plugin_name", kernel->plugin_name, "version", kernel->version, "accepts",
		kd_ctl_kernels_words(
			kd_ctl_kernels_kinds(kernel->accepts, kinds, sizeof kinds)),
		"makes", kd_ctl_kernels_product(kernel->makes), "needs",
		kd_ctl_kernels_words(
			kd_ctl_kernels_needs(kernel->needs, needs, sizeof needs)),
		"inspect", kernel->inspects, "params", params);
	if (facts != NULL)
		json_object_set(json, "facts", facts);
	return json;
}

static void
print_param(const struct kd_param_schema *param)
{
	printf("  %s: %s", param->name, kd_ctl_kernels_type(param->type));
	if (param->has_range)
		printf(", %g to %g", param->minimum, param->maximum);
	if (param->unit != NULL)
		printf(" %s", param->unit);
	if (param->required)
		fputs(", required", stdout);
	else if (param->default_text != NULL)
		printf(" = %s", param->default_text);
	for (char **choice = param->choices; choice != NULL && *choice != NULL; choice++)
		printf("%s\"%s\"", choice == param->choices ? "; " : " | ", *choice);
	putchar('\n');
	if (param->help != NULL)
		kd_ctl_text_wrap(stdout, param->help, 8);
}

static void
print_kernel(const struct kd_kernel *kernel)
{
	static const char *const products[] = {"a file", "a directory",
		"a file of a file, a directory of everything else"};
	char text[80];
	printf("%s: %s\n\n", kernel->name, kernel->summary);
	printf("plugin   %s %s, %s\n", kernel->plugin_name, kernel->version,
		kernel->plugin);
	printf("accepts  %s\n", kd_ctl_kernels_kinds(kernel->accepts, text, sizeof text));
	if (kernel->makes >= 1 && kernel->makes <= 3)
		printf("makes    %s\n", products[kernel->makes - 1]);
	if (kernel->needs != 0)
		printf("needs    %s\n",
			kd_ctl_kernels_needs(kernel->needs, text, sizeof text));
	if (kernel->param_count > 0)
		puts("\nParameters, as in a rule's params or as -p name=value:");
	for (uint32_t i = 0; i < kernel->param_count; i++)
		print_param(&kernel->params[i]);
}

/* What the kernel tells about the parameters given; 0, or an exit status. */
static int
inspect(const struct kd_kernel *kernel, json_t *given, json_t **facts)
{
	struct kd_err err = {0};
	json_t *params = NULL;
	char *folder = getcwd(NULL, 0);
	struct kd_params_input input = {
		.kernel = kernel,
		.given = given,
		.base = folder != NULL ? folder : ".",
		.exists = 1,
	};
	int rc = kd_params_check(&input, &params, &err);
	free(folder);
	if (rc < 0) {
		kd_ctl_say("%s", err.text);
		return KD_CTL_USAGE;
	}
	struct kd_manifest manifest = {
		.rule = (char *)"",
		.revision = (char *)"",
		.plugin = kernel->plugin,
		.kernel = kernel->name,
		.params = params,
		.device = (char *)"cpu",
		.needs = kernel->needs,
		.threads = 1,
		.repeat = 1,
		.root = (char *)"/",
		.out = (char *)"/",
		.mode = 0644,
	};
	rc = kd_session_inspect(kd_catalog_worker(), &manifest, facts, &err);
	json_decref(params);
	if (rc < 0)
		kd_ctl_say("%s", err.text);
	return rc < 0 ? KD_CTL_FAILED : 0;
}

static int
describe(const struct kd_ctl *ctl, const struct kd_kernel *kernel, json_t *given)
{
	json_t *facts = NULL;
	int status = KD_CTL_DONE;
	if (json_object_size(given) > 0 && !kernel->inspects)
		return kd_ctl_usage(ctl,
			"kernel '%s' has nothing to tell about parameters", kernel->name);
	if (json_object_size(given) > 0)
		status = inspect(kernel, given, &facts);
	if (status != KD_CTL_DONE)
		return status;
	if (ctl->json) {
		kd_ctl_ask_print(kernel_to_json(kernel, facts));
	} else if (facts != NULL) {
		kd_ctl_facts_print(facts);
	} else {
		print_kernel(kernel);
		if (kernel->inspects)
			printf("\nWith parameters given, 'kilnctl describe %s -p "
			       "name=value' "
			       "tells about what they name.\n",
				kernel->name);
	}
	json_decref(facts);
	return status;
}

int
kd_ctl_describe_command(struct kd_ctl *ctl, int argc, char **argv)
{
	static const struct option own[] = {{"param", required_argument, NULL, 'p'},
		{"plugins", required_argument, NULL, 'P'}, {0}};
	struct kd_ctl_folders folders = {0};
	struct kd_err err = {0};
	json_t *given = json_object();
	struct kd_catalog *catalog = NULL;
	int status, option;
	while ((option = kd_ctl_option(ctl, argc, argv, "p:", own, &status)) != -1) {
		if (option == KD_CTL_STOP)
			goto out;
		status = 0;
		if (option == 'P')
			status = kd_ctl_kernels_folder(ctl, &folders, optarg);
		else if (kd_params_parse_argument(optarg, given, &err) < 0)
			status = kd_ctl_usage(ctl, "-p %s: %s", optarg, err.text);
		if (status != 0)
			goto out;
	}
	if (optind + 1 != argc) {
		status = kd_ctl_usage(ctl, "expected one kernel");
		goto out;
	}
	status = KD_CTL_FAILED;
	catalog = kd_ctl_kernels_load(&folders, argv[optind]);
	if (catalog == NULL)
		goto out;
	status = KD_CTL_USAGE;
	const struct kd_kernel *kernel = kd_ctl_kernels_find(ctl, catalog, argv[optind]);
	if (kernel != NULL)
		status = describe(ctl, kernel, given);
out:
	kd_catalog_free(catalog);
	json_decref(given);
	return status;
}
