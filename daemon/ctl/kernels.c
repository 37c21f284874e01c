/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/ctl/kernels.h"

#include "daemon/ctl/ask.h"
#include "daemon/ctl/table.h"

#include "daemon/rules/near.h"
#include "plugins/kiln_plugin.h"

#include <stdio.h>
#include <string.h>

int
kd_ctl_kernels_folder(
	const struct kd_ctl *ctl, struct kd_ctl_folders *folders, char *path)
{
	if (folders->count >= KD_CTL_FOLDERS)
		return kd_ctl_usage(
			ctl, "more than %d folders of plugins", KD_CTL_FOLDERS);
	folders->paths[folders->count++] = path;
	return 0;
}

struct kd_catalog *
kd_ctl_kernels_load(const struct kd_ctl_folders *folders, const char *kernel)
{
	struct kd_catalog *catalog = NULL;
	struct kd_err err = {0};
	char *usual[2] = {(char *)kd_catalog_plugins(), NULL};
	char *const *paths = folders->count > 0 ? folders->paths : usual;
	const char *worker = kd_catalog_worker();
	int rc = kernel == NULL
			 ? kd_catalog_load(worker, paths, &catalog, &err)
			 : kd_catalog_load_for(kernel, worker, paths, &catalog, &err);
	if (rc < 0)
		kd_ctl_say("%s", err.text);
	return catalog;
}

const struct kd_kernel *
kd_ctl_kernels_find(
	const struct kd_ctl *ctl, const struct kd_catalog *catalog, const char *name)
{
	const struct kd_kernel *kernel = kd_catalog_find(catalog, name);
	if (kernel != NULL)
		return kernel;
	struct kd_near near = {.wanted = name};
	for (uint32_t i = 0; i < catalog->kernel_count; i++)
		kd_near_offer(&near, catalog->kernels[i]->name);
	fprintf(stderr, "kilnctl %s: no plugin offers a kernel '%s'%s\n",
		ctl->command->name, name, KD_NEAR_HINT(&near));
	for (uint32_t i = 0; i < catalog->refused_count; i++)
		kd_ctl_say("plugin '%s' is refused: %s", catalog->refused[i].path,
			catalog->refused[i].reason);
	fputs("'kilnctl kernels' lists what there is.\n", stderr);
	return NULL;
}

static char *
join_words(uint32_t set, const char *const *words, char *buffer, size_t size)
{
	size_t used = 0;
	buffer[0] = '\0';
	for (unsigned i = 0; words[i] != NULL; i++)
		if ((set & 1u << i) != 0 && used < size)
			used += (size_t)snprintf(buffer + used, size - used, "%s%s",
				used == 0 ? "" : ", ", words[i]);
	return buffer;
}

char *
kd_ctl_kernels_kinds(uint32_t kinds, char *buffer, size_t size)
{
	static const char *const words[] = {
		"file", "directory", "sequence", "bundle", NULL};
	return join_words(kinds, words, buffer, size);
}

char *
kd_ctl_kernels_needs(uint32_t needs, char *buffer, size_t size)
{
	static const char *const words[] = {"cuda", "jit", "exec", NULL};
	return join_words(needs, words, buffer, size);
}

json_t *
kd_ctl_kernels_words(const char *words)
{
	json_t *array = json_array();
	while (*words != '\0') {
		size_t length = strcspn(words, ",");
		json_array_append_new(array, json_stringn(words, length));
		words += length;
		words += strspn(words, ", ");
	}
	return array;
}

const char *
kd_ctl_kernels_product(uint32_t makes)
{
	return makes == KILN_MAKES_FILE	       ? "file"
	       : makes == KILN_MAKES_DIRECTORY ? "directory"
					       : "same";
}

const char *
kd_ctl_kernels_type(uint32_t type)
{
	static const char *const words[] = {
		"?", "bool", "integer", "number", "string", "path", "list", "json"};
	return words[type < sizeof words / sizeof words[0] ? type : 0];
}

static json_t *
catalog_to_json(const struct kd_catalog *catalog)
{
	json_t *kernels = json_array(), *refused = json_array();
	for (uint32_t i = 0; i < catalog->kernel_count; i++) {
		const struct kd_kernel *k = catalog->kernels[i];
		char kinds[80], needs[40];
		json_array_append_new(kernels,
			json_pack("{s:s,s:s,s:s,s:s,s:s,s:o,s:s,s:o,s:b}", "name",
				k->name, "summary", k->summary, "plugin", k->plugin,
				"plugin_name", k->plugin_name, "version", k->version,
				"accepts",
				kd_ctl_kernels_words(kd_ctl_kernels_kinds(
					k->accepts, kinds, sizeof kinds)),
				"makes", kd_ctl_kernels_product(k->makes), "needs",
				kd_ctl_kernels_words(kd_ctl_kernels_needs(
					k->needs, needs, sizeof needs)),
				"inspect", k->inspects));
	}
	for (uint32_t i = 0; i < catalog->refused_count; i++)
		json_array_append_new(refused,
			json_pack("{s:s,s:s}", "plugin", catalog->refused[i].path,
				"reason", catalog->refused[i].reason));
	return json_pack("{s:o,s:o}", "kernels", kernels, "refused", refused);
}

static void
print_catalog(const struct kd_catalog *catalog)
{
	static const char *const headings[] = {
		"KERNEL", "VERSION", "ACCEPTS", "NEEDS", "SUMMARY", NULL};
	struct kd_ctl_table *table = kd_ctl_table_new(headings);
	for (uint32_t i = 0; i < catalog->kernel_count; i++) {
		const struct kd_kernel *k = catalog->kernels[i];
		char text[80];
		kd_ctl_table_cell(table, k->name);
		kd_ctl_table_cell(table, k->version);
		kd_ctl_table_cell(
			table, kd_ctl_kernels_kinds(k->accepts, text, sizeof text));
		kd_ctl_table_cell(
			table, kd_ctl_kernels_needs(k->needs, text, sizeof text));
		kd_ctl_table_cell(table, k->summary);
	}
	if (catalog->kernel_count > 0)
		kd_ctl_table_print(table, stdout, 0);
	else
		puts("no kernels");
	kd_ctl_table_free(table);
	for (uint32_t i = 0; i < catalog->refused_count; i++)
		kd_ctl_say("warning: plugin '%s' is refused: %s",
			catalog->refused[i].path, catalog->refused[i].reason);
}

int
kd_ctl_kernels_command(struct kd_ctl *ctl, int argc, char **argv)
{
	static const struct option own[] = {
		{"plugins", required_argument, NULL, 'P'}, {0}};
	struct kd_ctl_folders folders = {0};
	int status, option;
	while ((option = kd_ctl_option(ctl, argc, argv, "", own, &status)) != -1) {
		if (option == KD_CTL_STOP)
			return status;
		if ((status = kd_ctl_kernels_folder(ctl, &folders, optarg)) != 0)
			return status;
	}
	if (optind < argc)
		return kd_ctl_usage(ctl, "'%s' is one argument too many", argv[optind]);
	struct kd_catalog *catalog = kd_ctl_kernels_load(&folders, NULL);
	if (catalog == NULL)
		return KD_CTL_FAILED;
	if (ctl->json)
		kd_ctl_ask_print(catalog_to_json(catalog));
	else
		print_catalog(catalog);
	kd_catalog_free(catalog);
	return KD_CTL_DONE;
}
