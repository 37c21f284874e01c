/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/ctl/unit.h"

#include "daemon/base/name.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

json_t *
kd_ctl_unit_path(const char *argument)
{
	char folder[PATH_MAX], path[2 * PATH_MAX];
	if (argument[0] == '/' || getcwd(folder, sizeof folder) == NULL)
		snprintf(path, sizeof path, "%s", argument);
	else
		snprintf(path, sizeof path, "%s/%s", folder,
			strncmp(argument, "./", 2) == 0 ? argument + 2 : argument);
	size_t length = strlen(path);
	while (length > 1 && path[length - 1] == '/')
		path[--length] = '\0';
	char *escaped = kd_name_escape(path);
	json_t *arguments = json_pack("{s:s*}", "path", escaped);
	free(escaped);
	return arguments;
}

json_t *
kd_ctl_unit_arguments(const char *argument)
{
	char *end;
	errno = 0;
	long long id = strtoll(argument, &end, 10);
	if (errno == 0 && end != argument && *end == '\0')
		return json_pack("{s:I}", "unit", (json_int_t)id);
	return kd_ctl_unit_path(argument);
}
