/* SPDX-License-Identifier: BSD-2-Clause */
/* shout - a template for plugins: NAME.txt becomes NAME.loud.txt, in capitals. */
#include <kiln_plugin.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct shout {
	int marks; /* exclamation marks at the end of each line */
};

static int
write_all(int fd, const char *bytes, size_t length)
{
	while (length > 0) {
		ssize_t written = write(fd, bytes, length);
		if (written < 0 && errno != EINTR)
			return -errno;
		if (written > 0) {
			bytes += written;
			length -= (size_t)written;
		}
	}
	return 0;
}

static int
shout_at(const struct shout *shout, int from, int to)
{
	char in[4096], out[sizeof in * 10];
	ssize_t got;
	while ((got = read(from, in, sizeof in)) > 0) {
		size_t length = 0;
		for (ssize_t i = 0; i < got; i++) {
			if (in[i] == '\n')
				for (int k = 0; k < shout->marks; k++)
					out[length++] = '!';
			out[length++] = in[i] >= 'a' && in[i] <= 'z'
						? (char)(in[i] - 'a' + 'A')
						: in[i];
		}
		int rc = write_all(to, out, length);
		if (rc < 0)
			return rc;
	}
	return got < 0 ? -errno : 0;
}

static int
one_unit(const struct kiln_host *host, const struct shout *shout,
	const struct kiln_unit *unit, uint32_t number)
{
	char name[300], text[400];
	snprintf(name, sizeof name, "%s.loud.txt", unit->stem);
	int from = host->open_input(host, number, unit->inputs[0]->name);
	int to = host->create(host, number, name, KILN_PRIMARY);
	int rc = from < 0 ? from : to < 0 ? to : shout_at(shout, from, to);
	if (from >= 0)
		close(from);
	if (to >= 0 && close(to) < 0 && rc == 0)
		rc = -errno;
	host->progress(host, number, 1, 1);
	if (rc == 0)
		return host->done(host, number, KILN_OK, NULL);
	snprintf(text, sizeof text, "cannot shout '%s': %s", unit->name, strerror(-rc));
	return host->done(host, number, KILN_TRANSIENT, text);
}

static int
process(const struct kiln_host *host, void *state, const struct kiln_batch *batch)
{
	for (uint32_t i = 0; i < batch->unit_count; i++) {
		int rc = host->cancelled(host)
				 ? host->done(host, i, KILN_CANCELLED, "asked to stop")
				 : one_unit(host, state, batch->units[i], i);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int
open_shout(const struct kiln_host *host, const struct kiln_params *params, void **state)
{
	struct shout *shout = malloc(sizeof *shout);
	if (shout == NULL) {
		host->fail(host, "out of memory");
		return -ENOMEM;
	}
	shout->marks = (int)params->values[0]->integer;
	host->variant(host, "c");
	*state = shout;
	return 0;
}

static void
close_shout(const struct kiln_host *host, void *state)
{
	(void)host;
	free(state);
}

static const struct kiln_param marks = {
	.size = sizeof marks,
	.type = KILN_INTEGER,
	.name = "marks",
	.default_text = "1",
	.minimum = 0,
	.maximum = 9,
	.help = "Exclamation marks at the end of each line.",
};
static const struct kiln_param *const params[] = {&marks, NULL};

static const struct kiln_kernel shout_kernel = {
	.size = sizeof shout_kernel,
	.accepts = KILN_FILE,
	.makes = KILN_MAKES_FILE,
	.name = "shout",
	.summary = "Writes a text in capitals.",
	.params = params,
	.open = open_shout,
	.process = process,
	.close = close_shout,
};
static const struct kiln_kernel *const kernels[] = {&shout_kernel, NULL};

KILN_EXPORT const struct kiln_plugin kiln_plugin = {
	.magic = KILN_MAGIC,
	.abi_major = KILN_ABI_MAJOR,
	.abi_minor = KILN_ABI_MINOR,
	.size = sizeof kiln_plugin,
	.name = "shout",
	.version = "1.0",
	.kernels = kernels,
};
