/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/ctl/ask.h"
#include "daemon/ctl/table.h"

#include "daemon/rules/rule.h"

#include <stdio.h>

static json_t *
rules_to_json(const struct kd_conf *conf)
{
	json_t *rules = json_array();
	for (uint32_t i = 0; i < conf->rule_count; i++) {
		const struct kd_rule *rule = conf->rules[i];
		json_array_append_new(
			rules, json_pack("{s:s,s:s,s:i,s:s,s:s,s:s,s:s,s:O}", "name",
				       rule->name, "file", rule->file, "line", rule->line,
				       "kernel", rule->kernel->name, "watch", rule->watch,
				       "output", rule->output, "device", rule->device,
				       "params", rule->params));
	}
	return json_pack("{s:b,s:s,s:s,s:o}", "ok", 1, "configuration", conf->file,
		"state", conf->state, "rules", rules);
}

static void
print_rules(const struct kd_conf *conf)
{
	static const char *const headings[] = {
		"RULE", "KERNEL", "DEVICE", "WATCH", "OUTPUT", NULL};
	struct kd_ctl_table *table = kd_ctl_table_new(headings);
	for (uint32_t i = 0; i < conf->rule_count; i++) {
		const struct kd_rule *rule = conf->rules[i];
		kd_ctl_table_cell(table, rule->name);
		kd_ctl_table_cell(table, rule->kernel->name);
		kd_ctl_table_cell(table, rule->device);
		kd_ctl_table_cell(table, rule->watch);
		kd_ctl_table_cell(table, rule->output);
	}
	printf("%s is fine: %u rule%s\n", conf->file, conf->rule_count,
		conf->rule_count == 1 ? "" : "s");
	if (conf->rule_count > 0)
		kd_ctl_table_print(table, stdout, 0);
	kd_ctl_table_free(table);
	for (uint32_t i = 0; i < conf->catalog->refused_count; i++)
		kd_ctl_say("warning: plugin '%s' is refused: %s",
			conf->catalog->refused[i].path, conf->catalog->refused[i].reason);
}

int
kd_ctl_check_command(struct kd_ctl *ctl, int argc, char **argv)
{
	int status;
	while (kd_ctl_option(ctl, argc, argv, "", NULL, &status) == KD_CTL_STOP)
		return status;
	if (optind < argc)
		return kd_ctl_usage(ctl,
			"'%s' is one argument too many; a configuration is "
			"given with -c FILE",
			argv[optind]);
	struct kd_conf_options options = {
		.file = ctl->conf != NULL ? ctl->conf : KILN_CONF,
		.state = ctl->state,
		.check_paths = 1,
	};
	struct kd_conf *conf = NULL;
	struct kd_err err = {0};
	if (kd_conf_load(&options, &conf, &err) < 0) {
		if (ctl->json)
			kd_ctl_ask_print(
				json_pack("{s:b,s:s}", "ok", 0, "error", err.text));
		kd_ctl_say("%s", err.text);
		return KD_CTL_FAILED;
	}
	if (ctl->json)
		kd_ctl_ask_print(rules_to_json(conf));
	else
		print_rules(conf);
	kd_conf_unref(conf);
	return KD_CTL_DONE;
}
