/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hostile - a plugin of kernels that misbehave, each in the way its name says, so that
 * tests can see a keeper deal with it.  Installed nowhere.
 */
#include "plugins/kiln_plugin.h"
#include "tests/plugins/hostile_greed.h"
#include "tests/plugins/hostile_hands.h"
#include "tests/plugins/hostile_lies.h"
#include "tests/plugins/hostile_spies.h"
#include "tests/plugins/hostile_talk.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int
open_nothing(const struct kiln_host *host, const struct kiln_params *params, void **state)
{
	(void)host;
	(void)params;
	*state = NULL;
	return 0;
}

static void
close_nothing(const struct kiln_host *host, void *state)
{
	(void)host;
	(void)state;
}

static int
segfault(const struct kiln_host *host, void *state, const struct kiln_batch *batch)
{
	(void)state;
	hostile_finish(host, batch, 0);
	return hostile_crash();
}

static int
crash_on_name(const struct kiln_host *host, void *state, const struct kiln_batch *batch)
{
	(void)state;
	for (uint32_t i = 0; i < batch->unit_count; i++) {
		if (strstr(batch->units[i]->name, "poison") != NULL)
			hostile_crash();
		hostile_finish(host, batch, i);
	}
	return 0;
}

static int
hang(const struct kiln_host *host, void *state, const struct kiln_batch *batch)
{
	(void)state;
	host->progress(host, 0, 1, 2);
	while (batch->unit_count > 0)
		hostile_nap();
	return 0;
}

static int
whole_fails(const struct kiln_host *host, void *state, const struct kiln_batch *batch)
{
	(void)state;
	hostile_finish(host, batch, 0);
	host->fail(host, "the oven is cold: expected 900 degrees, found 20");
	return -EIO;
}

static int
open_fails(const struct kiln_host *host, const struct kiln_params *params, void **state)
{
	(void)params;
	(void)state;
	host->fail(host, "the door is stuck");
	return -EBUSY;
}

static int
transient(const struct kiln_host *host, void *state, const struct kiln_batch *batch)
{
	(void)state;
	for (uint32_t i = 0; i < batch->unit_count; i++)
		host->done(host, i, KILN_TRANSIENT, "the GPU is busy");
	return 0;
}

/* Units whose name begins with 'b' are bad. */
static int
fussy(const struct kiln_host *host, void *state, const struct kiln_batch *batch)
{
	(void)state;
	for (uint32_t i = 0; i < batch->unit_count; i++) {
		host->warn(host, i, "seen with \"quotes\"\nand a line break");
		host->meta(host, i, "place", "[1, {\"of\": 2}]");
		if (batch->units[i]->name[0] != 'b')
			hostile_finish(host, batch, i);
		else
			host->done(host, i, KILN_BAD_INPUT,
				"byte 0: expected 'K', found something else");
	}
	return 0;
}

/* Waits until its input grows, so that a test can change it at the right moment. */
static int
patient(const struct kiln_host *host, void *state, const struct kiln_batch *batch)
{
	struct stat st;
	(void)state;
	int fd = host->open_input(host, 0, batch->units[0]->inputs[0]->name);
	host->progress(host, 0, 0, 1);
	do
		hostile_nap();
	while (fstat(fd, &st) == 0 &&
		(uint64_t)st.st_size == batch->units[0]->inputs[0]->bytes);
	close(fd);
	hostile_finish(host, batch, 0);
	return 0;
}

/* Twenty steps, each with a word to the host; for killing in between. */
static int
steps(const struct kiln_host *host, void *state, const struct kiln_batch *batch)
{
	(void)state;
	for (uint32_t i = 0; i < batch->unit_count; i++) {
		for (uint64_t k = 1; k <= 4; k++)
			host->log(host, KILN_INFO, "step");
		hostile_finish(host, batch, i);
	}
	return 0;
}

/* The one that behaves: a primary and a companion, what the input says in both; of an input
 * that begins with "lone" only the primary, with "other" another companion. */
static int
paired(const struct kiln_host *host, void *state, const struct kiln_batch *batch)
{
	(void)state;
	for (uint32_t i = 0; i < batch->unit_count; i++) {
		char name[512], text[100];
		int in = host->open_input(host, i, batch->units[i]->inputs[0]->name);
		ssize_t got = read(in, text, sizeof text);
		close(in);
		int is_lone = got >= 4 && memcmp(text, "lone", 4) == 0;
		int is_other = got >= 5 && memcmp(text, "other", 5) == 0;
		for (uint32_t k = 0; k < 2 && !(is_lone && k == 1); k++) {
			snprintf(name, sizeof name, "%s%s", batch->units[i]->stem,
				k == 0	   ? ".out"
				: is_other ? ".curves.out"
					   : ".preview.out");
			int fd = host->create(
				host, i, name, k == 0 ? KILN_PRIMARY : KILN_COMPANION);
			if (got < 0 || write(fd, text, (size_t)got) != got)
				return -EIO;
			close(fd);
		}
		host->done(host, i, KILN_OK, NULL);
	}
	return 0;
}

#define KERNEL(variable, word, function, opener)                                         \
	static const struct kiln_kernel variable = {                                     \
		.size = sizeof variable,                                                 \
		.accepts = KILN_FILE,                                                    \
		.makes = KILN_MAKES_FILE,                                                \
		.name = word,                                                            \
		.summary = "Misbehaves: " word ".",                                      \
		.open = opener,                                                          \
		.process = function,                                                     \
		.close = close_nothing,                                                  \
	}

KERNEL(kernel_segfault, "segfault", segfault, open_nothing);
KERNEL(kernel_crash_on_name, "crash-on-name", crash_on_name, open_nothing);
KERNEL(kernel_hang, "hang", hang, open_nothing);
KERNEL(kernel_lie_twice, "lie-twice", hostile_lies_twice, open_nothing);
KERNEL(kernel_lie_range, "lie-range", hostile_lies_range, open_nothing);
KERNEL(kernel_lie_class, "lie-class", hostile_lies_class, open_nothing);
KERNEL(kernel_lie_empty, "lie-empty", hostile_lies_empty, open_nothing);
KERNEL(kernel_lie_open, "lie-open", hostile_lies_open, open_nothing);
KERNEL(kernel_lie_escape, "lie-escape", hostile_lies_escape, open_nothing);
KERNEL(kernel_lie_absolute, "lie-absolute", hostile_lies_absolute, open_nothing);
KERNEL(kernel_lie_stem, "lie-stem", hostile_lies_stem, open_nothing);
KERNEL(kernel_lie_sidecar, "lie-sidecar", hostile_lies_sidecar, open_nothing);
KERNEL(kernel_no_verdict, "no-verdict", hostile_lies_no_verdict, open_nothing);
KERNEL(kernel_unknown_type, "unknown-type", hostile_lies_unknown_type, open_nothing);
KERNEL(kernel_garbage, "garbage", hostile_lies_garbage, open_nothing);
KERNEL(kernel_deaf, "deaf", hostile_talk_deaf, open_nothing);
KERNEL(kernel_chatter, "chatter", hostile_talk_chatter, open_nothing);
KERNEL(kernel_gift, "gift", hostile_talk_gift, open_nothing);
KERNEL(kernel_whole_fails, "whole-fails", whole_fails, open_nothing);
KERNEL(kernel_open_fails, "open-fails", steps, open_fails);
KERNEL(kernel_transient, "transient", transient, open_nothing);
KERNEL(kernel_fussy, "fussy", fussy, open_nothing);
KERNEL(kernel_patient, "patient", patient, open_nothing);
KERNEL(kernel_steps, "steps", steps, open_nothing);
KERNEL(kernel_paired, "paired", paired, open_nothing);
KERNEL(kernel_big, "big", hostile_greed_output, open_nothing);
KERNEL(kernel_greedy, "greedy", hostile_greed_memory, open_nothing);
KERNEL(kernel_spy, "spy", hostile_spies_spy, open_nothing);
KERNEL(kernel_burglar, "burglar", hostile_spies_burglar, open_nothing);
KERNEL(kernel_stalker, "stalker", hostile_spies_stalker, open_nothing);
KERNEL(kernel_trespass, "trespass", hostile_spies_trespass, open_nothing);
KERNEL(kernel_stubborn, "stubborn", hostile_spies_stubborn, open_nothing);
KERNEL(kernel_hoarder, "hoarder", hostile_greed_descriptors, open_nothing);
KERNEL(kernel_sharer, "sharer", hostile_spies_sharer, open_nothing);
KERNEL(kernel_flood_outputs, "flood-outputs", hostile_greed_outputs, open_nothing);
KERNEL(kernel_flood_scratch, "flood-scratch", hostile_greed_scratch, open_nothing);

static const struct kiln_kernel *const kernels[] = {&kernel_segfault,
	&kernel_crash_on_name, &kernel_hang, &kernel_lie_twice, &kernel_lie_range,
	&kernel_lie_class, &kernel_lie_empty, &kernel_lie_open, &kernel_lie_escape,
	&kernel_lie_absolute, &kernel_lie_stem, &kernel_lie_sidecar, &kernel_no_verdict,
	&kernel_unknown_type, &kernel_garbage, &kernel_deaf, &kernel_chatter,
	&kernel_gift, &kernel_whole_fails, &kernel_open_fails, &kernel_transient,
	&kernel_fussy, &kernel_patient, &kernel_steps, &kernel_paired, &kernel_big,
	&kernel_greedy, &kernel_spy, &kernel_burglar, &kernel_stalker, &kernel_trespass,
	&kernel_stubborn, &kernel_hoarder, &kernel_sharer, &kernel_flood_outputs,
	&kernel_flood_scratch, NULL};

KILN_EXPORT const struct kiln_plugin kiln_plugin = {
	.magic = KILN_MAGIC,
	.abi_major = KILN_ABI_MAJOR,
	.abi_minor = KILN_ABI_MINOR,
	.size = sizeof kiln_plugin,
	.name = "hostile",
	.version = "6.6.6",
	.kernels = kernels,
};
