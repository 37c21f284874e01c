/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/plugins/host.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A plugin may call from any of its threads; what is of the whole batch, not of a unit, is
 * counted below this. */
static pthread_mutex_t counting = PTHREAD_MUTEX_INITIALIZER;

static void *
grab(size_t count, size_t size)
{
	void *memory = calloc(count > 0 ? count : 1, size);
	if (memory == NULL)
		abort();
	return memory;
}

static const char *
base_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash != NULL ? slash + 1 : path;
}

static int
open_input(const struct kiln_host *host, uint32_t unit, const char *name)
{
	const struct t_host *h = (const struct t_host *)host;
	char path[4096];
	struct stat status;
	if (unit >= h->path_count || stat(h->paths[unit], &status) < 0)
		return -ENOENT;
	if (!S_ISDIR(status.st_mode) && strcmp(base_name(h->paths[unit]), name) != 0)
		return -ENOENT;
	snprintf(path, sizeof path, S_ISDIR(status.st_mode) ? "%s/%s" : "%s",
		h->paths[unit], name);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static const struct kiln_value *
value_of(const struct t_host *h, const char *name)
{
	for (uint32_t i = 0; i < h->params.count; i++)
		if (strcmp(h->params.values[i]->name, name) == 0)
			return h->params.values[i];
	return NULL;
}

static int
open_param(const struct kiln_host *host, const char *param, const char *beneath)
{
	const struct kiln_value *value = value_of((const struct t_host *)host, param);
	if (value == NULL || value->type != KILN_PATH || value->text == NULL ||
		beneath != NULL)
		return -ENOENT;
	int fd = open(value->text, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int
create(const struct kiln_host *host, uint32_t unit, const char *name, uint32_t flags)
{
	struct t_host *h = (struct t_host *)host;
	char path[4096];
	if (unit >= h->path_count)
		return -EINVAL;
	pthread_mutex_lock(&counting);
	if (flags == KILN_COMPANION)
		h->results[unit].companions++;
	else
		h->results[unit].primaries++;
	pthread_mutex_unlock(&counting);
	snprintf(path, sizeof path, "%s/%s", h->folder, name);
	for (char *at = path + strlen(h->folder) + 1; (at = strchr(at, '/')) != NULL;
		at++) {
		*at = '\0';
		(void)mkdir(path, 0755);
		*at = '/';
	}
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	return fd < 0 ? -errno : fd;
}

static int
done(const struct kiln_host *host, uint32_t unit, uint32_t klass, const char *reason)
{
	struct t_host *h = (struct t_host *)host;
	struct t_unit_result *result = &h->results[unit];
	result->done++;
	result->klass = klass;
	snprintf(result->reason, sizeof result->reason, "%s",
		reason != NULL ? reason : "");
	if (h->report != NULL)
		fprintf(h->report, "done %u %u %s\n", unit, klass, result->reason);
	return 0;
}

static void
warn(const struct kiln_host *host, uint32_t unit, const char *text)
{
	struct t_host *h = (struct t_host *)host;
	h->results[unit].warnings++;
	if (h->report != NULL)
		fprintf(h->report, "warn %u %s\n", unit, text);
}

static void
meta(const struct kiln_host *host, uint32_t unit, const char *key, const char *json)
{
	struct t_host *h = (struct t_host *)host;
	if (h->report == NULL)
		return;
	if (unit == KILN_WHOLE)
		fprintf(h->report, "meta whole %s %s\n", key, json);
	else
		fprintf(h->report, "meta %u %s %s\n", unit, key, json);
}

static void
progress(const struct kiln_host *host, uint32_t unit, uint64_t count, uint64_t total)
{
	struct t_host *h = (struct t_host *)host;
	h->results[unit].progress_done = count;
	h->results[unit].progress_total = total;
}

static int
cancelled(const struct kiln_host *host)
{
	struct t_host *h = (struct t_host *)host;
	pthread_mutex_lock(&counting);
	int yes = h->cancel_after == 0;
	if (h->cancel_after > 0)
		h->cancel_after--;
	pthread_mutex_unlock(&counting);
	return yes;
}

static void
log_line(const struct kiln_host *host, uint32_t level, const char *text)
{
	struct t_host *h = (struct t_host *)host;
	if (h->report != NULL)
		fprintf(h->report, "log %u %s\n", level, text);
}

static void
fail(const struct kiln_host *host, const char *text)
{
	struct t_host *h = (struct t_host *)host;
	snprintf(h->failure, sizeof h->failure, "%s", text);
	if (h->report != NULL)
		fprintf(h->report, "fail %s\n", text);
}

static int
scratch(const struct kiln_host *host)
{
	const struct t_host *h = (const struct t_host *)host;
	int fd = open(h->folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	return fd < 0 ? -errno : fd;
}

static int
checkpoint(const struct kiln_host *host, uint32_t unit, const char *key)
{
	const struct t_host *h = (const struct t_host *)host;
	char path[4096];
	snprintf(path, sizeof path, "%s/%u.%s.checkpoint", h->folder, unit, key);
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	return fd < 0 ? -errno : fd;
}

static void
variant(const struct kiln_host *host, const char *name)
{
	struct t_host *h = (struct t_host *)host;
	if (h->report != NULL)
		fprintf(h->report, "variant %s\n", name);
}

static void
kernel_time(const struct kiln_host *host, double seconds, uint64_t frames)
{
	struct t_host *h = (struct t_host *)host;
	pthread_mutex_lock(&counting);
	h->seconds += seconds;
	h->frames += frames;
	pthread_mutex_unlock(&counting);
}

static const struct kiln_host services = {
	.size = sizeof(struct kiln_host),
	.abi_major = KILN_ABI_MAJOR,
	.abi_minor = KILN_ABI_MINOR,
	.threads = 1,
	.device = "cpu",
	.open_input = open_input,
	.open_param = open_param,
	.create = create,
	.done = done,
	.warn = warn,
	.meta = meta,
	.progress = progress,
	.cancelled = cancelled,
	.log = log_line,
	.fail = fail,
	.scratch = scratch,
	.checkpoint = checkpoint,
	.variant = variant,
	.kernel_time = kernel_time,
};

int
t_host_load(struct t_host *host, const char *library, const char *kernel)
{
	memset(host, 0, sizeof *host);
	host->host = services;
	host->cancel_after = -1;
	host->folder = ".";
	host->library = dlopen(library, RTLD_NOW | RTLD_LOCAL);
	if (host->library == NULL) {
		fprintf(stderr, "%s\n", dlerror());
		return -1;
	}
	const struct kiln_plugin *plugin = dlsym(host->library, "kiln_plugin");
	if (plugin == NULL || plugin->magic != KILN_MAGIC ||
		plugin->abi_major != KILN_ABI_MAJOR) {
		fprintf(stderr, "%s: expected a kiln plugin of ABI %d\n", library,
			KILN_ABI_MAJOR);
		return -1;
	}
	for (const struct kiln_kernel *const *k = plugin->kernels; *k != NULL; k++)
		if (strcmp((*k)->name, kernel) == 0)
			host->kernel = *k;
	if (host->kernel == NULL)
		fprintf(stderr, "%s: expected a kernel '%s'\n", library, kernel);
	return host->kernel != NULL ? 0 : -1;
}

/* "[a, b]", "\"all\"" or a bare word, cut up in place; "\"\"" is an empty one. */
static void
parse_list(char *text, struct kiln_value *value)
{
	const char **list = grab(strlen(text) + 1, sizeof *list);
	char *rest = NULL;
	for (char *word = strtok_r(text, "[],", &rest); word != NULL;
		word = strtok_r(NULL, "[],", &rest)) {
		word += strspn(word, " ");
		if (*word == '\0')
			continue;
		word += *word == '"';
		word[strcspn(word, "\"")] = '\0';
		list[value->list_count++] = word;
	}
	value->list = list;
}

static void
parse_value(const char *from, struct kiln_value *value)
{
	char *text = strdup(from);
	size_t length = strlen(text);
	if (value->type != KILN_LIST && value->type != KILN_JSON && length >= 2 &&
		text[0] == '"') {
		text[length - 1] = '\0';
		memmove(text, text + 1, length - 1);
	}
	value->set = 1;
	value->text = text;
	if (value->type == KILN_BOOL)
		value->integer = strcmp(text, "true") == 0;
	else if (value->type == KILN_INTEGER)
		value->integer = strtoll(text, NULL, 10);
	value->number =
		value->type == KILN_NUMBER ? strtod(text, NULL) : (double)value->integer;
	if (value->type == KILN_LIST)
		parse_list(text, value);
}

int
t_host_set(struct t_host *host, const char *const *settings, unsigned count)
{
	uint32_t params = 0;
	while (host->kernel->params[params] != NULL)
		params++;
	const struct kiln_value **values = grab(params, sizeof *values);
	for (uint32_t i = 0; i < params; i++) {
		const struct kiln_param *param = host->kernel->params[i];
		struct kiln_value *value = grab(1, sizeof *value);
		size_t length = strlen(param->name);
		const char *from = param->default_text;
		value->size = sizeof *value;
		value->type = param->type;
		value->name = param->name;
		for (unsigned s = 0; s < count; s++)
			if (strncmp(settings[s], param->name, length) == 0 &&
				settings[s][length] == '=')
				from = settings[s] + length + 1;
		if (from != NULL)
			parse_value(from, value);
		if (from == NULL && (param->flags & KILN_REQUIRED)) {
			fprintf(stderr, "parameter '%s' is required\n", param->name);
			return -1;
		}
		values[i] = value;
	}
	host->params = (struct kiln_params){sizeof host->params, params, values};
	return 0;
}

int
t_host_open(struct t_host *host)
{
	return host->kernel->open(&host->host, &host->params, &host->state);
}

int
t_host_inspect(struct t_host *host)
{
	return host->kernel->inspect(&host->host, &host->params);
}

static int
is_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/* The files of a folder, or the one file that the path is. */
static void
list_inputs(const char *path, struct kiln_unit *unit)
{
	struct dirent **entries = NULL;
	struct stat status = {0};
	(void)stat(path, &status);
	int count = 1, is_folder = S_ISDIR(status.st_mode);
	if (is_folder)
		count = scandir(path, &entries, is_visible, alphasort);
	const struct kiln_input **list = grab((size_t)count, sizeof *list);
	struct kiln_input *inputs = grab((size_t)count, sizeof *inputs);
	for (int i = 0; i < count; i++) {
		inputs[i] = (struct kiln_input){sizeof inputs[i], 0,
			is_folder ? strdup(entries[i]->d_name) : base_name(path),
			is_folder ? 0 : (uint64_t)status.st_size};
		list[i] = &inputs[i];
		if (is_folder)
			free(entries[i]);
	}
	free(entries);
	unit->kind = is_folder ? KILN_DIRECTORY : KILN_FILE;
	unit->inputs = list;
	unit->input_count = (uint32_t)count;
}

static void
free_inputs(const struct kiln_unit *unit)
{
	for (uint32_t i = 0; unit->kind == KILN_DIRECTORY && i < unit->input_count; i++)
		free((char *)unit->inputs[i]->name);
	/* All of them lie behind the first. */
	if (unit->input_count > 0)
		free((struct kiln_input *)unit->inputs[0]);
	free((void *)unit->inputs);
}

int
t_host_process(struct t_host *host, const char *const *paths, uint32_t count)
{
	struct kiln_unit *units = grab(count, sizeof *units);
	const struct kiln_unit **unit_list = grab(count, sizeof *unit_list);
	for (uint32_t i = 0; i < count; i++) {
		const char *name = base_name(paths[i]);
		const char *dot = strrchr(name, '.');
		units[i] = (struct kiln_unit){.size = sizeof units[i],
			.name = name,
			.stem = dot != NULL ? strndup(name, (size_t)(dot - name))
					    : strdup(name)};
		list_inputs(paths[i], &units[i]);
		unit_list[i] = &units[i];
	}
	struct kiln_batch batch = {sizeof batch, count, unit_list};
	free(host->results);
	host->results = grab(count, sizeof *host->results);
	host->paths = paths;
	host->path_count = count;
	int rc = host->kernel->process(&host->host, host->state, &batch);
	for (uint32_t i = 0; i < count; i++) {
		free((char *)units[i].stem);
		free_inputs(&units[i]);
	}
	free(units);
	free(unit_list);
	return rc;
}

void
t_host_close(struct t_host *host)
{
	if (host->kernel != NULL)
		host->kernel->close(&host->host, host->state);
	for (uint32_t i = 0; i < host->params.count; i++) {
		const struct kiln_value *value = host->params.values[i];
		free((void *)value->list);
		free((char *)value->text);
		free((void *)value);
	}
	free((void *)host->params.values);
	free(host->results);
	if (host->library != NULL)
		dlclose(host->library);
	memset(host, 0, sizeof *host);
}
