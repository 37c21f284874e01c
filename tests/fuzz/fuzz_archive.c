/* SPDX-License-Identifier: BSD-2-Clause */
/* The unpacking of archives: whatever the bytes, every name that is asked for is safe, and
 * a refusal says why. */
#include "daemon/base/name.h"
#include "daemon/worker/unpack.h"
#include "tests/fuzz/fuzz.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { LIMIT = 4 << 20, FILES_MOST = 200 };

#ifdef KILN_PLANTED_BUG
/* Trusts the length of a zip entry's name. */
static unsigned
careless(const uint8_t *data, size_t size)
{
	unsigned sum = 0;
	if (size < 30 || memcmp(data, "PK\x03\x04", 4) != 0)
		return 0;
	size_t length = (size_t)data[26] | (size_t)data[27] << 8;
	for (size_t i = 0; i < length; i++)
		sum += data[30 + i];
	return sum;
}
#endif

static int
create(void *context, const char *name)
{
	int *files = context;
	char *escaped = kd_name_escape(name);
	if (escaped == NULL || strcmp(escaped, name) != 0 || !kd_name_is_beneath(name))
		abort();
	free(escaped);
	if (++*files > FILES_MOST)
		return -EEXIST;
	return memfd_create("kiln-fuzz", MFD_CLOEXEC);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int files = 0;
	int archive = memfd_create("kiln-fuzz", MFD_CLOEXEC);
	if (archive < 0 || write(archive, data, size) != (ssize_t)size ||
		lseek(archive, 0, SEEK_SET) < 0)
		abort();
	const struct kd_unpack unpack = {
		.archive = archive,
		.name = "fuzzed.gz",
		.bytes = size,
		.limits = {.bytes = LIMIT,
			.entries = KD_ARCHIVE_ENTRIES,
			.depth = KD_ARCHIVE_DEPTH,
			.ratio = KD_ARCHIVE_RATIO,
			.name = KD_ARCHIVE_NAME},
		.create = create,
		.context = &files,
	};
	struct kd_err err = {0};
	int rc = kd_unpack_archive(&unpack, &err);
	if (rc < 0 ? err.text[0] == '\0' : files == 0)
		abort();
	close(archive);
#ifdef KILN_PLANTED_BUG
	static volatile unsigned sink;
	sink += careless(data, size);
	(void)sink;
#endif
	return 0;
}
